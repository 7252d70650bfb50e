//! Draws what a program writes to a terminal as an SVG picture, for `make pictures`.
//!
//! ```text
//! some-program --color always | picture > picture.svg
//! ```
//!
//! Takes text with the colours that nestscope uses, gives a picture of it. A line that begins with
//! `$ ` is what was typed. Every run of characters is given its exact width, so that columns stay
//! columns in whatever font the picture is shown.

use std::fmt::Write as _;
use std::io::{self, Read, Write as _};

use unicode_width::UnicodeWidthChar;

/// Pixels of a cell, and around all.
const CELL: f64 = 7.8;
const LINE: f64 = 19.0;
const MARGIN: f64 = 16.0;
/// Height of the bar with the three buttons.
const BAR: f64 = 30.0;

fn main() -> io::Result<()> {
    let mut text = String::new();
    io::stdin().read_to_string(&mut text)?;
    let lines: Vec<Vec<Run>> = text.lines().map(runs).collect();
    io::stdout().write_all(picture(&lines).as_bytes())
}

/// Characters of one look that stand side by side, from a column on.
#[derive(Debug)]
struct Run {
    column: usize,
    columns: usize,
    look: &'static str,
    text: String,
}

/// Takes a line apart, at its escape sequences and where wide characters begin and end.
fn runs(line: &str) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    let mut look = if line.starts_with("$ ") { "typed" } else { "plain" };
    let mut column = 0;
    let mut rest = line;
    while let Some(c) = rest.chars().next() {
        if let Some((code, after)) = escape(rest) {
            look = look_of(code);
            rest = after;
            continue;
        }
        rest = rest.get(c.len_utf8()..).unwrap_or_default();
        let width = c.width().unwrap_or(0);
        match runs.last_mut() {
            // A wide character is a run of its own: fonts differ in how wide they draw it.
            Some(run)
                if run.look == look && width == 1 && run.columns == run.text.chars().count() =>
            {
                run.text.push(c);
                run.columns += 1;
            }
            _ => runs.push(Run { column, columns: width, look, text: c.to_string() }),
        }
        column += width;
    }
    runs
}

/// The number of the colour sequence that `text` begins with, and what follows it.
fn escape(text: &str) -> Option<(&str, &str)> {
    text.strip_prefix("\u{1b}[")?.split_once('m')
}

fn look_of(code: &str) -> &'static str {
    match code {
        "1" => "bold",
        "2" => "dim",
        "31" => "red",
        "32" => "green",
        "33" => "yellow",
        _ => "plain",
    }
}

fn picture(lines: &[Vec<Run>]) -> String {
    let columns = lines.iter().flatten().map(|run| run.column + run.columns).max().unwrap_or(0);
    let width = pixels(columns) + 2.0 * MARGIN;
    let height = (1..=lines.len()).fold(BAR + MARGIN, |height, _| height + LINE);
    let mut svg = format!(
        r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0} {height:.0}" width="{width:.0}" height="{height:.0}">
<style>
  text {{ font: 13px ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", "Noto Sans Mono CJK SC", monospace; white-space: pre }}
  .plain {{ fill: #c9d1d9 }} .typed {{ fill: #79c0ff }} .bold {{ fill: #f0f6fc; font-weight: bold }} .dim {{ fill: #8b949e }}
  .red {{ fill: #ff7b72 }} .green {{ fill: #56d364 }} .yellow {{ fill: #e3b341 }}
</style>
<rect width="100%" height="100%" rx="8" fill="#0d1117"/>
<circle cx="20" cy="18" r="5.5" fill="#ff5f56"/><circle cx="39" cy="18" r="5.5" fill="#ffbd2e"/><circle cx="58" cy="18" r="5.5" fill="#27c93f"/>
"##
    );
    let mut y = BAR;
    for line in lines {
        y += LINE;
        for run in line.iter().filter(|run| !run.text.trim().is_empty()) {
            let (x, length) = (MARGIN + pixels(run.column), pixels(run.columns));
            let text = escaped(&run.text);
            // Writing to a String cannot fail.
            let _ = writeln!(
                svg,
                r#"<text x="{x:.1}" y="{y:.0}" textLength="{length:.1}" lengthAdjust="spacingAndGlyphs" class="{}" xml:space="preserve">{text}</text>"#,
                run.look
            );
        }
    }
    svg.push_str("</svg>\n");
    svg
}

fn pixels(columns: usize) -> f64 {
    u32::try_from(columns).map_or(0.0, f64::from) * CELL
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
