//! The embedded provider: up, usable, gone.

use std::net::TcpStream;

use lockproof_rig::live::{Database, find_provider};
use lockproof_rig::{ExternalServers, ServerNeeds};

use crate::processes::until;

#[tokio::test]
async fn embedded_servers_answer_and_are_gone_with_their_handles() {
    let env = lockproof_env::live::env(1);
    let provider = (find_provider("embedded").unwrap().start)(&ExternalServers::default()).unwrap();
    let first = provider.redis(0, ServerNeeds::default()).await.unwrap();
    let second = provider.redis(0, ServerNeeds::default()).await.unwrap();
    assert_ne!(first.tcp, second.tcp, "each server is its own");
    assert!(TcpStream::connect(first.tcp.unwrap()).is_ok());
    let (gone, stays) = (first.tcp.unwrap(), second.tcp.unwrap());
    drop(first);
    until(&env, "the first server closed", || TcpStream::connect(gone).is_err()).await;
    assert!(TcpStream::connect(stays).is_ok(), "its neighbour goes on");
    drop((second, provider));
    until(&env, "the second server closed", || TcpStream::connect(stays).is_err()).await;
}

#[tokio::test]
async fn an_embedded_database_leaves_no_directory() {
    let provider = (find_provider("embedded").unwrap().start)(&ExternalServers::default()).unwrap();
    let Database::Sqlite { path, .. } = provider.database("cell", None).await.unwrap() else {
        panic!("the embedded database is SQLite");
    };
    let workspace = path.parent().unwrap().parent().unwrap().to_owned();
    assert!(workspace.is_dir());
    std::fs::write(&path, "something").unwrap();
    drop(provider);
    assert!(!workspace.exists(), "{} is left", workspace.display());
}
