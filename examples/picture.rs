//! Draws what a program shows on a terminal as an SVG picture, for `make pictures`.
//!
//! ```text
//! some-program --color always | picture > picture.svg
//! tmux capture-pane -e -p | picture > picture.svg
//! ```
//!
//! Takes text with the sequences (SGR) for colours, bold, dim, underlined and reverse, gives a
//! picture of it. A line that begins with `$ ` is what was typed. Every run of characters is given
//! its exact width, so that columns stay columns in whatever font the picture is shown; bars and
//! frames are drawn as shapes, as fonts leave gaps between them.

use std::fmt::Write as _;
use std::io::{self, Read, Write as _};

use unicode_width::UnicodeWidthChar;

/// Pixels of a cell, and around all.
const CELL: f64 = 7.8;
const LINE: f64 = 19.0;
const MARGIN: f64 = 16.0;
/// Height of the bar with the three buttons.
const BAR: f64 = 30.0;
/// Pixels from the top of a cell to the line on which letters stand.
const BASE: f64 = 14.0;

/// The colours of a terminal: black, red, green, yellow, blue, magenta, cyan, white, and the same
/// bright. Each can be read on [`GROUND`], which the picture brings along.
const COLOURS: [&str; 16] = [
    "#30363d", "#ff7b72", "#56d364", "#e3b341", "#79c0ff", "#d2a8ff", "#56d4dd", "#c9d1d9",
    "#8b949e", "#ffa198", "#7ee787", "#f2cc60", "#a5d6ff", "#e2c5ff", "#b3f0ff", "#ffffff",
];
const GROUND: &str = "#0d1117";
const PLAIN: &str = "#c9d1d9";
const TYPED: &str = "#79c0ff";

fn main() -> io::Result<()> {
    let mut text = String::new();
    io::stdin().read_to_string(&mut text)?;
    let mut look = Look::default();
    let lines: Vec<Vec<Run>> = text.lines().map(|line| runs(line, &mut look)).collect();
    io::stdout().write_all(picture(&lines).as_bytes())
}

/// How characters look. Colours are places in [`COLOURS`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Look {
    colour: Option<usize>,
    ground: Option<usize>,
    bold: bool,
    dim: bool,
    underlined: bool,
    reversed: bool,
    typed: bool,
}

impl Look {
    /// Takes the numbers of a sequence.
    fn take(&mut self, codes: &str) {
        let mut codes = codes.split(';').map(|code| code.parse().unwrap_or(0));
        while let Some(code) = codes.next() {
            match code {
                0 => *self = Self::default(),
                1 => self.bold = true,
                2 => self.dim = true,
                4 => self.underlined = true,
                7 => self.reversed = true,
                22 => (self.bold, self.dim) = (false, false),
                24 => self.underlined = false,
                27 => self.reversed = false,
                30..=37 => self.colour = Some(code - 30),
                90..=97 => self.colour = Some(code - 90 + 8),
                40..=47 => self.ground = Some(code - 40),
                100..=107 => self.ground = Some(code - 100 + 8),
                39 => self.colour = None,
                49 => self.ground = None,
                // `38;5;N`, with N below 16: more are not used.
                38 => self.colour = codes.nth(1).filter(|colour| *colour < COLOURS.len()),
                48 => self.ground = codes.nth(1).filter(|colour| *colour < COLOURS.len()),
                _ => {}
            }
        }
    }

    fn fill(&self) -> &'static str {
        if self.reversed { colour(self.ground).unwrap_or(GROUND) } else { self.own_fill() }
    }

    /// What is to be filled behind the characters.
    fn behind(&self) -> Option<&'static str> {
        if self.reversed { Some(self.own_fill()) } else { colour(self.ground) }
    }

    fn own_fill(&self) -> &'static str {
        colour(self.colour).unwrap_or(if self.typed { TYPED } else { PLAIN })
    }

    /// The attributes that differ from those of all text.
    fn attributes(&self) -> String {
        let mut attributes = String::new();
        if self.fill() != PLAIN {
            attributes.push_str(&format!(r#" fill="{}""#, self.fill()));
        }
        for (is_on, attribute) in [
            (self.bold, r#" font-weight="bold""#),
            (self.dim, r#" fill-opacity=".65""#),
            (self.underlined, r#" text-decoration="underline""#),
        ] {
            attributes.push_str(if is_on { attribute } else { "" });
        }
        attributes
    }
}

fn colour(place: Option<usize>) -> Option<&'static str> {
    COLOURS.get(place?).copied()
}

/// Characters of one look that stand side by side, from a column on.
#[derive(Debug)]
struct Run {
    column: usize,
    columns: usize,
    look: Look,
    text: String,
}

/// Takes a line apart, at its escape sequences and where characters begin that are not drawn as
/// text of one cell each. `look` is that of the line before, and becomes that of the next.
fn runs(line: &str, look: &mut Look) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    look.typed = line.starts_with("$ ");
    let mut column = 0;
    let mut rest = line;
    while let Some(c) = rest.chars().next() {
        if let Some((codes, after)) = escape(rest) {
            look.take(codes);
            rest = after;
            continue;
        }
        rest = rest.get(c.len_utf8()..).unwrap_or_default();
        let width = c.width().unwrap_or(0);
        match runs.last_mut() {
            // A wide character is a run of its own: fonts differ in how wide they draw it.
            Some(run)
                if run.look == *look
                    && width == 1
                    && run.columns == run.text.chars().count()
                    && run.text.chars().all(|other| shape(other) == shape(c)) =>
            {
                run.text.push(c);
                run.columns += 1;
            }
            _ => runs.push(Run { column, columns: width, look: *look, text: c.to_string() }),
        }
        column += width;
    }
    runs
}

/// The numbers of the sequence that `text` begins with, and what follows it.
fn escape(text: &str) -> Option<(&str, &str)> {
    text.strip_prefix("\u{1b}[")?.split_once('m')
}

/// What is drawn in place of a character.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Shape {
    /// A part of the cell: left, top, right and bottom as shares of it, and how thickly.
    Block([f64; 4], f64),
    /// Arms to the left, up, to the right, down.
    Arms([bool; 4]),
}

fn shape(c: char) -> Option<Shape> {
    let eighths = |from: char| f64::from(u32::from(c) - u32::from(from) + 1) / 8.0;
    let block = |sides| Some(Shape::Block(sides, 1.0));
    let arms = |arms| Some(Shape::Arms(arms));
    match c {
        '▁'..='█' => block([0.0, 1.0 - eighths('▁'), 1.0, 1.0]),
        '▉'..='▏' => block([0.0, 0.0, 1.0 - eighths('▉'), 1.0]),
        '▀' => block([0.0, 0.0, 1.0, 0.5]),
        '▐' => block([0.5, 0.0, 1.0, 1.0]),
        '░' => Some(Shape::Block([0.0, 0.0, 1.0, 1.0], 0.25)),
        '▒' => Some(Shape::Block([0.0, 0.0, 1.0, 1.0], 0.5)),
        '▓' => Some(Shape::Block([0.0, 0.0, 1.0, 1.0], 0.75)),
        '─' => arms([true, false, true, false]),
        '│' => arms([false, true, false, true]),
        '└' | '╰' => arms([false, true, true, false]),
        '┘' | '╯' => arms([true, true, false, false]),
        '┌' | '╭' => arms([false, false, true, true]),
        '┐' | '╮' => arms([true, false, false, true]),
        '├' => arms([false, true, true, true]),
        '┤' => arms([true, true, false, true]),
        '┬' => arms([true, false, true, true]),
        '┴' => arms([true, true, true, false]),
        '┼' => arms([true, true, true, true]),
        _ => None,
    }
}

fn picture(lines: &[Vec<Run>]) -> String {
    let columns = lines.iter().flatten().map(|run| run.column + run.columns).max().unwrap_or(0);
    let width = pixels(columns) + 2.0 * MARGIN;
    let height = (1..=lines.len()).fold(BAR + MARGIN, |height, _| height + LINE);
    let mut svg = format!(
        r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0} {height:.0}" width="{width:.0}" height="{height:.0}" xml:space="preserve" fill="{PLAIN}">
<style>text {{ font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", "Noto Sans Mono CJK SC", monospace; font-size: 13px; white-space: pre }} rect {{ shape-rendering: crispEdges }}</style>
<rect width="100%" height="100%" rx="8" fill="{GROUND}"/>
<circle cx="20" cy="18" r="5.5" fill="#ff5f56"/><circle cx="39" cy="18" r="5.5" fill="#ffbd2e"/><circle cx="58" cy="18" r="5.5" fill="#27c93f"/>
"##
    );
    let mut top = BAR + LINE - BASE;
    for line in lines {
        for run in line {
            draw(run, top, &mut svg);
        }
        top += LINE;
    }
    svg.push_str("</svg>\n");
    svg
}

/// Draws a run whose cells begin `top` pixels from above.
fn draw(run: &Run, top: f64, svg: &mut String) {
    let (x, length) = (MARGIN + pixels(run.column), pixels(run.columns));
    // Writing to a String cannot fail.
    if let Some(ground) = run.look.behind() {
        let _ = write!(svg, r#"<rect{} fill="{ground}"/>"#, sides(x, top, length, LINE));
    }
    let attributes = run.look.attributes();
    match run.text.chars().next().and_then(shape) {
        Some(Shape::Block([left, upper, right, lower], opacity)) => {
            // Whole cells side by side are one shape; of a part of a cell each is.
            let (count, cell) = if right - left < 1.0 { (run.columns, CELL) } else { (1, length) };
            for nth in 0..count {
                let place = sides(
                    x + pixels(nth) + left * cell,
                    top + upper * LINE,
                    (right - left) * cell,
                    (lower - upper) * LINE,
                );
                let _ = writeln!(svg, r#"<rect{place}{attributes} opacity="{opacity}"/>"#);
            }
        }
        Some(Shape::Arms(arms)) => {
            for nth in 0..if arms == [true, false, true, false] { 1 } else { run.columns } {
                let cell = if arms == [true, false, true, false] { length } else { CELL };
                draw_arms(arms, (x + pixels(nth), top, cell), &attributes, svg);
            }
        }
        None if run.text.trim().is_empty() => {}
        None => {
            let (y, text) = (top + BASE, escaped(&run.text));
            let _ = writeln!(
                svg,
                r#"<text x="{x:.1}" y="{y:.0}" textLength="{length:.1}" lengthAdjust="spacingAndGlyphs"{attributes}>{text}</text>"#
            );
        }
    }
}

fn draw_arms(
    arms: [bool; 4],
    (x, top, width): (f64, f64, f64),
    attributes: &str,
    svg: &mut String,
) {
    let (middle, centre) = (x + width / 2.0, top + LINE / 2.0);
    let [left, up, right, down] = arms;
    for (lies, before, behind) in [(true, left, right), (false, up, down)] {
        let (from, centre_of, to) =
            if lies { (x, middle, x + width) } else { (top, centre, top + LINE) };
        let from = if before { from } else { centre_of };
        let to = if behind { to } else { centre_of };
        if before || behind {
            let place = if lies {
                sides(from, centre - 0.5, to - from, 1.0)
            } else {
                sides(middle - 0.5, from, 1.0, to - from)
            };
            let _ = writeln!(svg, r#"<rect{place}{attributes}/>"#);
        }
    }
}

fn sides(x: f64, y: f64, width: f64, height: f64) -> String {
    format!(r#" x="{x:.1}" y="{y:.1}" width="{width:.1}" height="{height:.1}""#)
}

fn pixels(columns: usize) -> f64 {
    u32::try_from(columns).map_or(0.0, f64::from) * CELL
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
