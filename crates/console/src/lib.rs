//! The console: web pages for people, as a client of control.
//!
//! Start with `service.rs`: a request comes in, `session` says whose it is, `pages` has one file for
//! each page. What may be done, and what record sets mean, is control's: nothing here decides it. No
//! sockets either, and no scripts: pages are made of `templates/`, whole, and work without any.

mod cookie;
mod fields;
mod happening;
mod origin;
mod pages;
mod random;
mod reply;
mod service;
mod session;
mod visit;
mod words;

pub use happening::{Happening, Witness};
pub use service::{Clock, ConsoleConfig, in_front_of, router};
