//! What is shown, and what is kept.

mod chromium;
mod comparison;
mod directory;
mod drawing;
mod fixture;
mod json;
mod renderings;
mod streams;
mod sweep;
mod terminal;
