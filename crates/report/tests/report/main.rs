//! What is shown, and what is kept.

mod comparison;
mod directory;
mod drawing;
mod fixture;
mod json;
mod streams;
mod terminal;
