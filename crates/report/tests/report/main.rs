//! What is shown, and what is kept.

mod directory;
mod fixture;
mod json;
mod terminal;
