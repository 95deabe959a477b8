//! The effective configuration as a TOML file that could be given back, with secrets masked and the origin of each value.

use std::fmt::Write as _;

use config::{Value, ValueKind};

use super::key::{KEYS, Kind};
use super::layers::{Loaded, origin};

const MASK: &str = "********";

/// The effective configuration.
pub fn print(loaded: &Loaded) -> String {
    let mut lines = Vec::new();
    let mut section = "";
    for key in KEYS {
        let (table, name) = key.path.rsplit_once('.').unwrap_or(("", key.path));
        if table != section {
            section = table;
            lines.push(format!("\n[{table}]"));
        }
        lines.push(match find(&loaded.tree, key.path) {
            Some(value) => format!("{name} = {} # {}", shown(value, key.kind), origin(value)),
            None => format!("# {name} is not set"),
        });
    }
    lines.join("\n") + "\n"
}

fn find<'a>(tree: &'a Value, path: &str) -> Option<&'a Value> {
    path.split('.').try_fold(tree, |value, name| match &value.kind {
        ValueKind::Table(table) => table.get(name),
        _ => None,
    })
}

fn shown(value: &Value, kind: Kind) -> String {
    match (kind, &value.kind) {
        (Kind::Secret, _) => quoted(MASK),
        (Kind::Address, ValueKind::String(text)) => quoted(&masked(text)),
        // A number or truth value from the environment is text until it is read.
        (Kind::Plain, ValueKind::String(text))
            if text.parse::<u64>().is_ok() || text.parse::<bool>().is_ok() =>
        {
            text.clone()
        }
        _ => toml(value),
    }
}

/// An address without its password.
fn masked(address: &str) -> String {
    if address.contains("password") {
        return MASK.to_owned();
    }
    match (address.split_once("://"), address.rfind('@')) {
        (Some((scheme, _)), Some(at)) if at > scheme.len() => format!("{scheme}://{MASK}{}", &address[at..]),
        _ => address.to_owned(),
    }
}

fn toml(value: &Value) -> String {
    match &value.kind {
        ValueKind::Table(table) => {
            let mut fields: Vec<_> = table
                .iter()
                .map(|(name, value)| format!("{} = {}", quoted(name), toml(value)))
                .collect();
            fields.sort();
            if fields.is_empty() {
                "{}".to_owned()
            } else {
                format!("{{ {} }}", fields.join(", "))
            }
        }
        ValueKind::Array(items) => format!("[{}]", items.iter().map(toml).collect::<Vec<_>>().join(", ")),
        ValueKind::String(text) => quoted(text),
        other => other.to_string(),
    }
}

/// A basic string of TOML.
fn quoted(text: &str) -> String {
    let mut quoted = String::from('"');
    for character in text.chars() {
        match character {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            character if character.is_control() => {
                let _ = write!(quoted, "\\u{:04X}", u32::from(character));
            }
            character => quoted.push(character),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_lose_their_passwords() {
        assert_eq!(masked("postgres://u:p@ss@host/db"), "postgres://********@host/db");
        assert_eq!(masked("postgres://host/db?password=p"), MASK);
        assert_eq!(masked("sqlite://data/a.sqlite"), "sqlite://data/a.sqlite");
    }

    #[test]
    fn strings_are_toml() {
        assert_eq!(quoted("a\"b\\c\nd"), r#""a\"b\\c\u000Ad""#);
    }
}
