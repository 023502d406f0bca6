//! A MariaDB process ends with the program as well.

use lockproof_testkit::{is_here, redis_server_is_here};

use crate::killed::nothing_is_left_of_a_killed_program;

#[tokio::test]
async fn no_mariadb_outlives_a_killed_program() {
    if redis_server_is_here().and(is_here("mariadb-install-db")).is_ok() {
        nothing_is_left_of_a_killed_program("mariadb").await;
    }
}
