//! What crosses the C border: borrowed views, owned buffers, errors as text. No panic leaves `guard`.

use std::panic::{catch_unwind, set_hook, AssertUnwindSafe};
use std::sync::Once;
use std::{ptr, slice, str};

#[repr(C)]
#[derive(Clone, Copy)]
pub struct View {
    data: *const u8,
    length: usize,
}

impl View {
    /// Safety: `data` points at `length` readable bytes that outlive the call.
    pub unsafe fn bytes<'a>(self) -> &'a [u8] {
        if self.length == 0 {
            return &[];
        }
        slice::from_raw_parts(self.data, self.length)
    }

    pub unsafe fn text<'a>(self) -> Result<&'a str, String> {
        str::from_utf8(self.bytes()).map_err(|error| format!("the text is not UTF-8 at byte {}", error.valid_up_to()))
    }
}

/// Safety: `data` points at `count` views, as for `View::bytes`.
pub unsafe fn texts<'a>(data: *const View, count: usize) -> Result<Vec<&'a str>, String> {
    (0..count)
        .map(|i| {
            let text = (*data.add(i)).text();
            text.map_err(|error| if count == 1 { error } else { format!("text {i} of {count}: {error}") })
        })
        .collect()
}

#[repr(C)]
pub struct Owned<T> {
    data: *mut T,
    length: usize,
}

pub type Bytes = Owned<u8>;
pub type Ids = Owned<i64>;

impl<T> Owned<T> {
    pub fn new(content: Vec<T>) -> Self {
        let content = content.into_boxed_slice();
        let length = content.len();
        Owned { data: Box::into_raw(content) as *mut T, length }
    }

    unsafe fn free(self) {
        if !self.data.is_null() {
            drop(Box::from_raw(ptr::slice_from_raw_parts_mut(self.data, self.length)));
        }
    }
}

#[no_mangle]
pub unsafe extern "C" fn rlhf_bytes_free(bytes: Bytes) {
    bytes.free()
}

#[no_mangle]
pub unsafe extern "C" fn rlhf_ids_free(ids: Ids) {
    ids.free()
}

/// Runs one entry of the interface. A panic becomes error text instead of ending the process, and prints nothing.
pub unsafe fn guard<T>(error: *mut Bytes, work: impl FnOnce() -> Result<T, String>) -> Option<T> {
    static QUIET: Once = Once::new();
    QUIET.call_once(|| set_hook(Box::new(|_| {})));

    let outcome = catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|payload| {
        let told = payload
            .downcast_ref::<&str>()
            .map(|text| text.to_string())
            .or_else(|| payload.downcast_ref::<String>().cloned());
        Err(format!("internal failure: {}", told.unwrap_or_default()))
    });
    match outcome {
        Ok(value) => Some(value),
        Err(text) => {
            if !error.is_null() {
                *error = Bytes::new(text.into_bytes());
            }
            None
        }
    }
}
