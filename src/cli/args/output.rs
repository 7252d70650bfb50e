//! Which exchanges are shown, and how.

use std::str::FromStr;

use clap::{Args as ClapArgs, ValueEnum};

use crate::report::TimeFormat;
use crate::store::GroupBy;

/// Which exchanges are shown.
#[derive(Clone, Debug, Default, ClapArgs)]
#[command(next_help_heading = "Output")]
pub struct FilterOptions {
    /// Only exchanges that match, such as 'status == error && latency > 10ms'
    ///
    /// The language is in docs/FILTERS.md.
    #[arg(short = 'Y', long = "display-filter", value_name = "FILTER")]
    pub display_filter: Option<String>,
}

/// In which format they are shown.
#[derive(Clone, Debug, Default, ClapArgs)]
#[command(next_help_heading = "Output")]
pub struct FormatOptions {
    // Its help names the formats of the command: see `definition`.
    #[arg(short = 'T', long = "format", value_name = "FORMAT", hide_possible_values = true)]
    pub format: Option<Format>,
}

/// Which fields of an exchange are shown.
#[derive(Clone, Debug, Default, ClapArgs)]
#[command(next_help_heading = "Output")]
pub struct FieldOptions {
    /// A field of -T fields, such as `pattern`, `latency_ns` or `data.user.id`
    ///
    /// They stand in the order in which they are given, separated by tabs. Each is a key of the
    /// JSON output, such as `pattern` or `latency_ns`, or a field of a filter, such as `latency`
    /// (in seconds), `client.port` or `data.user.id`.
    #[arg(short = 'e', long = "field", value_name = "FIELD", value_delimiter = ',')]
    pub fields: Vec<String>,

    /// How -T fields looks: `header=y`, `separator=,`
    ///
    /// `header=y` is for the names above the values, `separator=,` for another
    /// character between them (`/t` is a tab, `/s` a space).
    #[arg(short = 'E', long = "field-option", value_name = "OPTION=VALUE")]
    pub looks: Vec<FieldLook>,
}

/// By what a report groups.
#[derive(Clone, Debug, Default, ClapArgs)]
#[command(next_help_heading = "Output")]
pub struct GroupingOptions {
    /// Group by these, such as `server` or `server,pattern` [default: pattern]
    ///
    /// Group by these: pattern, server, client, connection; several give a row for each combination
    /// [default: pattern].
    #[arg(long = "by", value_name = "WHAT", value_delimiter = ',')]
    pub by: Vec<By>,
}

/// How points in time are told.
#[derive(Clone, Debug, Default, ClapArgs)]
#[command(next_help_heading = "Output")]
pub struct TimeOptions {
    /// How times are told: a, ad, d, e, r, u, ud, as tshark has them
    ///
    /// For text, csv and fields: `a` time of day, `ad` with the date, `d` seconds
    /// since the line before, `e` seconds since 1970, `r` seconds since the first packet, `u` and
    /// `ud` as `a` and `ad` in UTC. JSON tells UTC always.
    #[arg(short = 't', long = "time", value_name = "FORMAT")]
    pub time: Option<TimeFormat>,
}

/// In which zone points in time are told.
#[derive(Clone, Debug, Default, ClapArgs)]
#[command(next_help_heading = "Output")]
pub struct ZoneOptions {
    /// Tell times in UTC, not in the zone of this machine
    #[arg(long = "utc")]
    pub utc: bool,
}

/// The format of an output.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    Text,
    Json,
    Csv,
    Markdown,
    Fields,
}

/// How the lines of `-T fields` look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldLook {
    /// Whether the names of the fields stand above them.
    Header(bool),
    /// What stands between two values.
    Separator(char),
}

impl FromStr for FieldLook {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once('=') {
            Some(("header", "y")) => Ok(Self::Header(true)),
            Some(("header", "n")) => Ok(Self::Header(false)),
            Some(("separator", "/t")) => Ok(Self::Separator('\t')),
            Some(("separator", "/s")) => Ok(Self::Separator(' ')),
            Some(("separator", one)) if one.chars().count() == 1 => {
                Ok(Self::Separator(one.chars().next().unwrap_or('\t')))
            }
            _ => Err("header=y, header=n and separator= with one character are known".to_owned()),
        }
    }
}

/// By what exchanges are grouped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct By(pub GroupBy);

impl FromStr for By {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let all = [GroupBy::Pattern, GroupBy::Server, GroupBy::Client, GroupBy::Connection];
        if let Some(by) = all.into_iter().find(|by| by.name() == text) {
            return Ok(Self(by));
        }
        Err(match text {
            "service" | "instance" => {
                "nothing tells the names of services yet; `server` groups by address and port"
            }
            _ => "exchanges are grouped by pattern, server, client or connection",
        }
        .to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::args::Args;

    #[test]
    fn exchanges_are_grouped_by_what_is_known() {
        let words = "nestscope report -r a --by server,pattern".split(' ');
        let by = Args::read(words).unwrap().options.grouping.by;
        let by: Vec<_> = by.iter().map(|by| by.0).collect();
        assert_eq!(by, [GroupBy::Server, GroupBy::Pattern]);
        for (text, said) in [("service", "names of services"), ("ports", "pattern, server, client")]
        {
            assert!(text.parse::<By>().unwrap_err().contains(said), "{text}");
        }
    }
}
