//! Tables for people: aligned by the width that characters have on a terminal, and as wide as it
//! is. Cells must be fit to be shown.

use std::io::{self, Write};

use anstyle::Style;
use unicode_width::UnicodeWidthStr;

use crate::report::visible::push_visible;

/// Between two columns of a text.
const SPACE: &str = "  ";

/// A column of a table.
#[derive(Clone, Debug)]
pub struct Column {
    title: &'static str,
    cells: Vec<String>,
    is_number: bool,
    /// Where the terminal is too narrow, the column with the highest number goes first; 0 stays.
    rank: u8,
    /// The columns that it can do with; more than its cells need where it cannot be narrowed.
    least: usize,
}

impl Column {
    /// A column of texts.
    pub fn texts(title: &'static str, rank: u8, cells: Vec<String>) -> Self {
        Self { title, cells, is_number: false, rank, least: usize::MAX }
    }

    /// A column of numbers, with their ends below each other.
    pub fn numbers(title: &'static str, rank: u8, cells: Vec<String>) -> Self {
        Self { is_number: true, ..Self::texts(title, rank, cells) }
    }

    /// Its texts may be cut to `columns`.
    pub fn at_least(self, columns: usize) -> Self {
        Self { least: columns, ..self }
    }

    fn cell(&self, index: usize) -> &str {
        self.cells.get(index).map_or("", String::as_str)
    }

    fn width(&self) -> usize {
        let cells = self.cells.iter().map(|cell| cell.width());
        cells.chain([self.title.width()]).max().unwrap_or(0)
    }

    fn narrow(&mut self, columns: usize) {
        for cell in &mut self.cells {
            if cell.width() > columns {
                let whole = std::mem::take(cell);
                push_visible(cell, whole.as_bytes(), columns);
            }
        }
    }

    fn padded(&self, text: &str, width: usize) -> String {
        let space = " ".repeat(width.saturating_sub(text.width()));
        match self.is_number {
            true => space + text,
            false => text.to_owned() + &space,
        }
    }
}

/// Writes `columns` within `width`: narrows what may be narrowed, then leaves out the columns that
/// matter least.
pub fn write_text(
    out: &mut impl Write,
    columns: Vec<Column>,
    width: usize,
    heading: Style,
) -> io::Result<()> {
    let columns = fit(columns, width);
    let widths: Vec<_> = columns.iter().map(Column::width).collect();
    for (index, row) in rows(&columns).enumerate() {
        let cells: Vec<_> = columns
            .iter()
            .zip(row.iter().zip(&widths))
            .map(|(column, (cell, &width))| column.padded(cell, width))
            .collect();
        let line = cells.join(SPACE);
        let style = if index == 0 { heading } else { Style::new() };
        writeln!(out, "{style}{}{style:#}", line.trim_end())?;
    }
    Ok(())
}

/// Writes `columns` as a Markdown table.
pub fn write_markdown(out: &mut impl Write, columns: &[Column]) -> io::Result<()> {
    for (index, row) in rows(columns).enumerate() {
        writeln!(out, "| {} |", row.join(" | "))?;
        if index == 0 {
            let rule = |column: &Column| if column.is_number { "---:" } else { ":---" };
            let rules: Vec<_> = columns.iter().map(rule).collect();
            writeln!(out, "| {} |", rules.join(" | "))?;
        }
    }
    Ok(())
}

/// The titles, then the cells, row by row.
fn rows(columns: &[Column]) -> impl Iterator<Item = Vec<&str>> {
    let count = columns.iter().map(|column| column.cells.len()).max();
    let titles = columns.iter().map(|column| column.title).collect();
    let row = |index| columns.iter().map(|column| column.cell(index)).collect();
    std::iter::once(titles).chain((0..count.unwrap_or(0)).map(row))
}

fn fit(mut columns: Vec<Column>, width: usize) -> Vec<Column> {
    loop {
        let spaces = SPACE.len() * columns.len().saturating_sub(1);
        let needed = spaces + columns.iter().map(Column::width).sum::<usize>();
        let excess = needed.saturating_sub(width);
        if excess == 0 {
            return columns;
        }
        if let Some(column) = columns.iter_mut().find(|column| column.width() > column.least) {
            let narrowed = column.width().saturating_sub(excess).max(column.least);
            column.narrow(narrowed);
            // A title may be wider than the cells; then only leaving out columns helps.
            column.least = usize::MAX;
            continue;
        }
        let last = columns.iter().enumerate().max_by_key(|(_, column)| column.rank);
        match last {
            Some((index, column)) if column.rank > 0 => drop(columns.remove(index)),
            _ => return columns,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn columns() -> Vec<Column> {
        let texts = ["sum", "求和求和求和"].map(str::to_owned).to_vec();
        let numbers = ["1", "1,000"].map(str::to_owned).to_vec();
        vec![
            Column::texts("pattern", 0, texts).at_least(8),
            Column::numbers("calls", 1, numbers.clone()),
            Column::numbers("max", 2, numbers),
        ]
    }

    fn text(width: usize) -> String {
        let mut out = Vec::new();
        write_text(&mut out, columns(), width, Style::new()).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn columns_are_narrowed_and_then_left_out() {
        assert_eq!(
            text(26),
            "pattern       calls    max\nsum               1      1\n求和求和求和  1,000  1,000\n"
        );
        assert_eq!(
            text(22),
            "pattern  calls    max\nsum          1      1\n求和求…  1,000  1,000\n"
        );
        assert_eq!(text(15), "pattern  calls\nsum          1\n求和求…  1,000\n");
        assert_eq!(text(1), "pattern\nsum\n求和求…\n");
    }

    #[test]
    fn markdown_says_how_its_columns_are_aligned() {
        let mut out = Vec::new();
        write_markdown(&mut out, &columns()).unwrap();
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "| pattern | calls | max |\n| :--- | ---: | ---: |\n| sum | 1 | 1 |\n\
             | 求和求和求和 | 1,000 | 1,000 |\n"
        );
    }
}
