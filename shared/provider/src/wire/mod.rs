//! The JSON of the Cloud API: sends and their answers ([`send`]), and template lists ([`list`]).

mod list;
mod send;

pub(crate) use list::{next_cursor, template, templates};
pub(crate) use send::accepted;
pub use send::send_body;

#[cfg(test)]
mod tests;
