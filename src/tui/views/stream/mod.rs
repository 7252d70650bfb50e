//! stub
use crate::tui::keys::{Action, Context};
use crate::tui::view::{Command, Scene, View};
use jiff::tz::TimeZone;
use ratatui::buffer::Buffer;
/// stub
#[derive(Debug)]
pub struct Stream(u32);
impl Stream {
    /// stub
    pub fn new(serial: u32, _zone: TimeZone) -> Self {
        Self(serial)
    }
}
impl View for Stream {
    fn title(&self, _: &Scene<'_>) -> String {
        format!("Stream {}", self.0)
    }
    fn context(&self) -> Context {
        Context::Stream
    }
    fn act(&mut self, _: Action, _: &Scene<'_>) -> Vec<Command> {
        Vec::new()
    }
    fn draw(&self, _: &Scene<'_>, _: &mut Buffer) {}
}
