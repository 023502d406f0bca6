//! Servers stand up, and nothing of them is left.

mod embedded;
mod fred;
mod killed;
mod postgres;
mod processes;
mod redis_server;
mod wire;
