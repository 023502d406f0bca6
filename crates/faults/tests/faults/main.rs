//! Every fault injects, proves that it did, and heals; and fires when its trigger says.

mod dropped;
mod holders;
mod links;
mod locks;
mod slow_commit;
mod support;
mod triggers;
mod windows;
