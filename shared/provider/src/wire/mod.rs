//! The Cloud API's JSON: what is sent ([`send`]), how answers are read, and how templates are listed ([`list`]).

mod list;
mod send;

pub use list::template;
pub(crate) use list::{next_cursor, templates};
pub(crate) use send::accepted;
pub use send::send_body;

#[cfg(test)]
mod tests;
