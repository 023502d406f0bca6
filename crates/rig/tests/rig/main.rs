//! Servers stand up, and nothing of them is left.

mod coordinators;
mod embedded;
mod fred;
mod killed;
mod mariadb;
mod postgres;
mod processes;
mod redis_server;
mod wire;
