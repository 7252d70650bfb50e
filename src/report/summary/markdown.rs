//! The report for a pull request or an issue.

use std::io::{self, Write};

use super::{Summary, columns, text};
use crate::report::table::write_markdown;
use crate::report::units::{counted, size};
use crate::report::visible::visible;
use crate::store::GroupBy;

/// Writes the report; the last line is the completeness line.
pub fn write(summary: &Summary<'_>, out: &mut impl Write) -> io::Result<()> {
    let capture = summary.capture;
    let packets = counted(capture.packets, "packet", "packets");
    let took = capture
        .span
        .map_or(String::new(), |(first, last)| format!(" in {}", last.saturating_since(first)));
    writeln!(out, "**{}** in {packets}, {}{took}", text::totals(summary), size(capture.bytes))?;
    if let Some(failed) = text::failed_attempts(summary) {
        writeln!(out, "\n**Failed: {failed}**")?;
    }
    if let Some(filter) = summary.filter {
        writeln!(out, "\nOnly exchanges matching: {}", code(filter))?;
    }
    if let Some(groups) = summary.statistics.groups() {
        writeln!(out)?;
        write_markdown(out, &columns::groups(summary, &groups.rows(), groups.by(), code))?;
        writeln!(out)?;
        return summary.losses().write_markdown(out);
    }
    let patterns = summary.statistics.patterns();
    if !patterns.is_empty() {
        writeln!(out)?;
        write_markdown(out, &columns::patterns(&patterns, code))?;
    }
    let (servers, more) = summary.first_servers();
    if !servers.is_empty() {
        writeln!(out)?;
        write_markdown(out, &columns::groups(summary, &servers, &[GroupBy::Server], code))?;
        if more > 0 {
            writeln!(out, "\nand {}", counted(more, "more server", "more servers"))?;
        }
    }
    let (connections, more) = summary.busiest_connections();
    if !connections.is_empty() {
        writeln!(out, "\n<details><summary>Connections</summary>\n")?;
        write_markdown(out, &columns::connections(&connections))?;
        if more > 0 {
            writeln!(out, "\nand {}", counted(more, "more connection", "more connections"))?;
        }
        writeln!(out, "\n</details>")?;
    }
    writeln!(out)?;
    summary.losses().write_markdown(out)
}

/// `text` from the wire as code, so that none of it is markup, in a cell of a table.
fn code(text: &str) -> String {
    let shown = visible(text).replace('|', "\\|");
    let longest = shown.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest + 1);
    // A space keeps the fence from what begins or ends like one; both are left out when shown.
    let space =
        if shown.starts_with('`') || shown.ends_with('`') || shown.is_empty() { " " } else { "" };
    format!("{fence}{space}{shown}{space}{fence}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::summary::samples::Sample;

    #[test]
    fn a_report_for_a_pull_request() {
        let mut out = Vec::new();
        write(&Sample::many(12).summary(), &mut out).unwrap();
        insta::assert_snapshot!(String::from_utf8(out).unwrap());
    }

    #[test]
    fn patterns_are_code_whatever_they_hold() {
        for (text, expected) in [
            ("sum", "`sum`"),
            ("a|b", "`a\\|b`"),
            ("a`b``c", "```a`b``c```"),
            ("`a`", "`` `a` ``"),
            ("<img src=x>\n@you", "`<img src=x>␊@you`"),
        ] {
            assert_eq!(code(text), expected);
        }
    }
}
