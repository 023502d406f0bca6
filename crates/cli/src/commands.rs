//! One file per command.

pub(crate) mod compare;
pub(crate) mod doctor;
pub(crate) mod explore;
pub(crate) mod gate;
pub(crate) mod holder;
pub(crate) mod list;
pub(crate) mod metrics;
pub(crate) mod new;
pub(crate) mod proxy;
pub(crate) mod redis_model;
pub(crate) mod replay;
pub(crate) mod report;
pub(crate) mod run;
pub(crate) mod serve;
pub(crate) mod sweep;
