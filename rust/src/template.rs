//! Chat templates: Jinja as transformers configures it, on data from strangers.

use crate::border::{guard, Bytes, View};
use crate::python::{self, JsonStyle};
use crate::template_methods::{call, strip};
use minijinja::value::{Kwargs, ValueKind};
use minijinja::{Environment, Error, ErrorKind, Value};
use std::ffi::CString;
use std::io::{self, Write};

/// Steps of the engine that one rendering may take: a long conversation takes some ten thousands.
const FUEL: u64 = 20_000_000;
/// Bytes that one rendering may write.
const LARGEST_OUTPUT: usize = 64 << 20;
/// Nesting of macros and includes; the engine's own limit suits threads with larger stacks.
const DEEPEST_RECURSION: usize = 200;

const NAME: &str = "chat";

pub struct Template {
    environment: Environment<'static>,
}

/// A writer that refuses to grow without end.
struct Bounded(Vec<u8>);

impl Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.len() + bytes.len() > LARGEST_OUTPUT {
            return Err(io::Error::other(format!("the template wrote more than {LARGEST_OUTPUT} bytes")));
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// `{% generation %}` marks what the assistant wrote, for masks made elsewhere; for the text it is a block that always shows.
/// Only the words between `{%` and `%}` change, so that lines and white space control stay as they were.
fn without_generation_blocks(source: &str) -> String {
    let mut out = String::with_capacity(source.len());
    let mut rest = source;
    while let Some(start) = rest.find('{') {
        let (before, tag) = rest.split_at(start);
        out.push_str(before);
        let end = if tag.starts_with("{#") {
            tag.find("#}")
        } else {
            tag.starts_with("{%").then(|| tag.find("%}")).flatten()
        };
        let length = end.map_or(1, |end| end + 2);
        let (tag, after) = tag.split_at(length);
        let word = tag.trim_start_matches(['{', '%', '-', '+']).trim_end_matches(['}', '%', '-', '+']).trim();
        match word {
            "generation" if length > 1 => out.push_str(&tag.replace("generation", "if true")),
            "endgeneration" if length > 1 => out.push_str(&tag.replace("endgeneration", "endif")),
            _ => out.push_str(tag),
        }
        rest = after;
    }
    out.push_str(rest);
    out
}

fn raise_exception(message: String) -> Result<String, Error> {
    Err(Error::new(ErrorKind::InvalidOperation, format!("raise_exception: {message}")))
}

/// datetime.now().strftime(format), in the C locale.
fn strftime_now(format: String) -> Result<String, Error> {
    let bad = || Error::new(ErrorKind::InvalidOperation, "strftime_now: bad format");
    let format = CString::new(format).map_err(|_| bad())?;
    let mut text = vec![0u8; 1024];
    let length = unsafe {
        let now = libc::time(std::ptr::null_mut());
        let mut parts: libc::tm = std::mem::zeroed();
        libc::localtime_r(&now, &mut parts);
        libc::strftime(text.as_mut_ptr().cast(), text.len(), format.as_ptr(), &parts)
    };
    text.truncate(length);
    String::from_utf8(text).map_err(|_| bad())
}

/// json.dumps(value, ensure_ascii=False, indent=None, separators=None, sort_keys=False), as transformers overrides it.
fn tojson(value: &Value, ensure_ascii: Option<Value>, indent: Option<Value>, kwargs: Kwargs) -> Result<String, Error> {
    let given = |positional: Option<Value>, name: &str| -> Result<Option<Value>, Error> {
        let found = positional.map_or_else(|| kwargs.get::<Option<Value>>(name), |value| Ok(Some(value)))?;
        Ok(found.filter(|value| !value.is_none()))
    };
    let indent = match given(indent, "indent")? {
        Some(text) if text.kind() == ValueKind::String => Some(python::str(&text)),
        Some(count) => Some(" ".repeat(usize::try_from(count)?.min(64))),
        None => None,
    };
    let separators = given(None, "separators")?;
    let separator = |place: usize, default: &str| -> Result<String, Error> {
        separators
            .as_ref()
            .map_or(Ok(default.to_string()), |pair| Ok(python::str(&pair.get_item(&Value::from(place))?)))
    };
    let style = JsonStyle {
        ensure_ascii: given(ensure_ascii, "ensure_ascii")?.is_some_and(|value| value.is_true()),
        item_separator: separator(0, if indent.is_some() { "," } else { ", " })?,
        key_separator: separator(1, ": ")?,
        sort_keys: given(None, "sort_keys")?.is_some_and(|value| value.is_true()),
        indent,
    };
    kwargs.assert_all_used()?;
    python::json(value, &style)
}

fn join(value: &Value, separator: Option<Value>, attribute: Option<Value>, kwargs: Kwargs) -> Result<String, Error> {
    let separator = separator.map_or_else(|| kwargs.get::<Option<Value>>("d"), |value| Ok(Some(value)))?;
    let attribute = attribute.map_or_else(|| kwargs.get::<Option<Value>>("attribute"), |value| Ok(Some(value)))?;
    kwargs.assert_all_used()?;
    let mut parts = Vec::new();
    for item in value.try_iter()? {
        parts.push(python::str(&match &attribute {
            Some(attribute) => item.get_item(attribute)?,
            None => item,
        }));
    }
    Ok(parts.join(&separator.as_ref().map(python::str).unwrap_or_default()))
}

fn trim(value: &Value, chars: Option<String>) -> String {
    strip(&python::str(value), chars.as_deref(), true, true)
}

fn environment() -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_trim_blocks(true);
    environment.set_lstrip_blocks(true);
    environment.set_fuel(Some(FUEL));
    environment.set_recursion_limit(DEEPEST_RECURSION);
    environment.set_unknown_method_callback(call);
    environment.set_formatter(|out, _, value| match value.as_str() {
        Some(text) => out.write_str(text).map_err(Error::from),
        None => out.write_str(&python::str(value)).map_err(Error::from),
    });
    environment.add_function("raise_exception", raise_exception);
    environment.add_function("strftime_now", strftime_now);
    environment.add_filter("tojson", tojson);
    environment.add_filter("join", join);
    environment.add_filter("trim", trim);
    environment.add_filter("string", |value: &Value| python::str(value));
    // In Python a string and a dict can be iterated and indexed as well.
    environment.add_test("sequence", |value: &Value| {
        matches!(value.kind(), ValueKind::Seq | ValueKind::String | ValueKind::Map)
    });
    environment.add_test("iterable", |value: &Value| {
        matches!(
            value.kind(),
            ValueKind::Seq | ValueKind::Iterable | ValueKind::String | ValueKind::Map | ValueKind::Undefined
        )
    });
    environment
}

/// One line of text: where in the template and what.
fn describe(error: &Error) -> String {
    let mut innermost = error;
    let mut line = error.line();
    while let Some(inner) = std::error::Error::source(innermost).and_then(|source| source.downcast_ref::<Error>()) {
        line = inner.line().or(line);
        innermost = inner;
    }
    let told = match (innermost.kind(), innermost.detail()) {
        (ErrorKind::OutOfFuel, _) => format!("the template did not end within {FUEL} steps"),
        (_, Some(detail)) if detail.starts_with("raise_exception: ") => detail.to_string(),
        (kind, Some(detail)) => format!("{kind}: {detail}"),
        (kind, None) => kind.to_string(),
    };
    let other = std::error::Error::source(innermost).map(|source| format!(" ({source})")).unwrap_or_default();
    line.map_or_else(|| format!("{told}{other}"), |line| format!("line {line}: {told}{other}"))
}

#[no_mangle]
pub unsafe extern "C" fn rlhf_template_compile(source: View, error: *mut Bytes) -> *mut Template {
    guard(error, || {
        let mut environment = environment();
        let source = without_generation_blocks(source.text()?);
        environment.add_template_owned(NAME, source).map_err(|error| describe(&error))?;
        Ok(Box::into_raw(Box::new(Template { environment })))
    })
    .unwrap_or(std::ptr::null_mut())
}

#[no_mangle]
pub unsafe extern "C" fn rlhf_template_free(handle: *mut Template) {
    if !handle.is_null() {
        drop(Box::from_raw(handle));
    }
}

#[no_mangle]
pub unsafe extern "C" fn rlhf_template_render(
    handle: *const Template,
    variables: View,
    text: *mut Bytes,
    error: *mut Bytes,
) -> bool {
    guard(error, || {
        let variables: serde_json::Value =
            serde_json::from_slice(variables.bytes()).map_err(|error| error.to_string())?;
        let template = (*handle).environment.get_template(NAME).map_err(|error| describe(&error))?;
        let mut out = Bounded(Vec::new());
        template.render_captured_to(Value::from_serialize(&variables), &mut out).map_err(|error| describe(&error))?;
        *text = Bytes::new(out.0);
        Ok(())
    })
    .is_some()
}
