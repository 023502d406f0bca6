//! `FOR UPDATE` of bookings that are not there yet (failure mode F44): what it locks depends on the engine and on the
//! isolation level, and in no case is it what it is taken for.

use lockproof_bookings::{InsertedRow, MariadbAddress, NewBooking, TransactionMode};
use lockproof_model::{AttemptId, HolderId, Span, in_full};
use tokio::join;

use crate::buyers::SLOT;
use crate::engines::{Engine, fresh_name, on_each_server};

on_each_server!(at_read_committed_it_locks_nothing_and_the_slot_is_sold_twice);

async fn at_read_committed_it_locks_nothing_and_the_slot_is_sold_twice(engine: Engine) {
    let shop = engine.shop("none", 1).await;
    let mut connections = Vec::new();
    for number in 1..=2 {
        let mut db = shop.store.open(HolderId(number)).await.unwrap();
        db.begin(TransactionMode::ReadCommitted).await.unwrap();
        assert_eq!(db.lock_confirmed(SLOT, Span::WHOLE).await.unwrap(), 0);
        connections.push((number, db));
    }
    for (number, db) in &mut connections {
        let booking = NewBooking {
            slot: SLOT,
            span: Span::WHOLE,
            unit: 1,
            holder: HolderId(*number),
            attempt: AttemptId(*number),
            fencing_token: None,
        };
        assert!(matches!(db.insert(booking).await.unwrap(), InsertedRow::Row(_)));
        db.commit().await.unwrap();
    }
    assert_eq!(shop.sold().await.len(), 2);
}

/// MariaDB's own default, REPEATABLE READ, locks the gap where the rows would be, for both, so that neither can write: a
/// deadlock, which the database ends by ending one of them.
async fn at_repeatable_read_both_lock_the_gap(url: String) {
    let address: MariadbAddress = url.parse().unwrap();
    let schema = fresh_name();
    let judge = address.connect().await.unwrap();
    let make = format!(
        "CREATE DATABASE {schema};
         CREATE TABLE {schema}.sold (slot BIGINT, holder BIGINT, KEY (slot)) ENGINE = InnoDB"
    );
    judge.run("make a table", make).await.unwrap();
    let check = async || {
        let dialled = address.connect().await.unwrap();
        let begin = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ; START TRANSACTION";
        dialled.run("begin", begin.to_owned()).await.unwrap();
        let check = format!("SELECT count(*) FROM {schema}.sold WHERE slot = 1 FOR UPDATE");
        assert_eq!(dialled.rows::<(i64,)>("check", check).await.unwrap(), [(0,)]);
        dialled
    };
    let (a, b) = (check().await, check().await);
    let insert = |holder| format!("INSERT INTO {schema}.sold VALUES (1, {holder})");
    let (first, second) = join!(a.run("insert", insert(1)), b.run("insert", insert(2)));
    let ended: Vec<_> = [first, second].into_iter().filter_map(Result::err).collect();
    for dialled in [a, b] {
        dialled.run("commit", "COMMIT".to_owned()).await.unwrap();
    }
    let sold = judge.rows::<(i64,)>("count", format!("SELECT count(*) FROM {schema}.sold")).await;
    judge.run("drop it", format!("DROP DATABASE {schema}")).await.unwrap();
    let [ended] = ended.as_slice() else { panic!("{ended:?}") };
    assert!(in_full(ended).contains("Deadlock found"), "{}", in_full(ended));
    assert_eq!(sold.unwrap(), [(1,)]);
}

mod by_default {
    mod mariadb {
        #[tokio::test]
        async fn at_repeatable_read_both_lock_the_gap_and_the_database_ends_one() {
            if let Some(url) = crate::engines::named("LOCKPROOF_TEST_MARIADB_URL") {
                crate::missing_rows::at_repeatable_read_both_lock_the_gap(url).await;
            }
        }
    }
}
