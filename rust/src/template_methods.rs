//! Python's methods on strings where `minijinja_contrib::pycompat` lacks them or differs (positions count characters, what
//! strip() takes for white space, keyword arguments).

use minijinja::value::{from_args, Kwargs, ValueKind};
use minijinja::{Error, ErrorKind, State, Value};
use minijinja_contrib::pycompat;

pub fn call(state: &State, value: &Value, method: &str, args: &[Value]) -> Result<Value, Error> {
    if let (ValueKind::String, Some(text)) = (value.kind(), value.as_str()) {
        if let Some(result) = string_method(text, method, args)? {
            return Ok(result);
        }
    }
    pycompat::unknown_method_callback(state, value, method, args)
}

/// str.isspace of one character: Unicode's white space and the four separators that Rust leaves out.
fn is_space(character: char) -> bool {
    character.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&character)
}

/// str.strip and its one-sided forms; `chars` is a set of characters.
pub fn strip(text: &str, chars: Option<&str>, left: bool, right: bool) -> String {
    let cut = |character: char| chars.map_or_else(|| is_space(character), |set| set.contains(character));
    let text = if left { text.trim_start_matches(cut) } else { text };
    let text = if right { text.trim_end_matches(cut) } else { text };
    text.to_string()
}

fn string_method(text: &str, method: &str, args: &[Value]) -> Result<Option<Value>, Error> {
    Ok(Some(match method {
        "strip" | "lstrip" | "rstrip" => {
            let (chars,): (Option<&str>,) = from_args(args)?;
            Value::from(strip(text, chars, method != "rstrip", method != "lstrip"))
        }
        "split" | "rsplit" => {
            let (separator, most, kwargs): (Option<&str>, Option<i64>, Kwargs) = from_args(args)?;
            let separator = separator.map_or_else(|| kwargs.get::<Option<&str>>("sep"), |found| Ok(Some(found)))?;
            let most = most.map_or_else(|| kwargs.get::<Option<i64>>("maxsplit"), |found| Ok(Some(found)))?;
            kwargs.assert_all_used()?;
            let most = most.and_then(|most| usize::try_from(most).ok());
            Value::from_iter(split(text, separator, most, method == "rsplit")?.into_iter().map(Value::from))
        }
        "removeprefix" => {
            let (prefix,): (&str,) = from_args(args)?;
            Value::from(text.strip_prefix(prefix).unwrap_or(text))
        }
        "removesuffix" => {
            let (suffix,): (&str,) = from_args(args)?;
            Value::from(text.strip_suffix(suffix).unwrap_or(text))
        }
        "partition" | "rpartition" => {
            let (separator,): (&str,) = from_args(args)?;
            let (first, last) = (method == "partition", method != "partition");
            let found = if first { text.split_once(separator) } else { text.rsplit_once(separator) };
            let (before, middle, after) = match found {
                Some((before, after)) => (before, separator, after),
                None if last => ("", "", text),
                None => (text, "", ""),
            };
            Value::from_iter([before, middle, after].map(Value::from))
        }
        "title" => {
            let () = from_args(args)?;
            Value::from(title(text))
        }
        "find" | "rfind" => {
            let (what,): (&str,) = from_args(args)?;
            let place = if method == "find" { text.find(what) } else { text.rfind(what) };
            Value::from(place.map_or(-1, |byte| text[..byte].chars().count() as i64))
        }
        "islower" | "isupper" | "isspace" | "isdigit" | "isnumeric" | "isalnum" | "isalpha" if text.is_empty() => {
            Value::from(false)
        }
        _ => return Ok(None),
    }))
}

/// str.title: a capital after anything that is no letter ("it's" becomes "It'S").
fn title(text: &str) -> String {
    let mut after_letter = false;
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        if after_letter {
            out.extend(character.to_lowercase());
        } else {
            out.extend(character.to_uppercase());
        }
        after_letter = character.is_alphabetic();
    }
    out
}

/// str.split and str.rsplit: at most `most` cuts, at runs of white space if there is no separator.
fn split(text: &str, separator: Option<&str>, most: Option<usize>, from_right: bool) -> Result<Vec<String>, Error> {
    let pieces = most.map_or(usize::MAX, |most| most + 1);
    let mut parts: Vec<String> = match separator {
        Some("") => return Err(Error::new(ErrorKind::InvalidOperation, "empty separator")),
        Some(separator) if from_right => text.rsplitn(pieces, separator).map(str::to_string).collect(),
        Some(separator) => text.splitn(pieces, separator).map(str::to_string).collect(),
        None => split_at_spaces(text, pieces, from_right),
    };
    if from_right {
        parts.reverse();
    }
    Ok(parts)
}

fn split_at_spaces(text: &str, pieces: usize, from_right: bool) -> Vec<String> {
    let mut parts = Vec::new();
    let mut rest = text;
    loop {
        rest = if from_right { rest.trim_end_matches(is_space) } else { rest.trim_start_matches(is_space) };
        if rest.is_empty() {
            return parts;
        }
        let part = match from_right {
            _ if parts.len() + 1 == pieces => rest,
            true => rest.rsplit(is_space).next().unwrap_or(rest),
            false => rest.split(is_space).next().unwrap_or(rest),
        };
        parts.push(part.to_string());
        rest = if from_right { &rest[..rest.len() - part.len()] } else { &rest[part.len()..] };
    }
}
