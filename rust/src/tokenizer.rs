//! Encoding and decoding with a Hugging Face `tokenizer.json`.

use crate::border::{guard, texts, Bytes, Ids, View};
use rayon::ThreadPool;
use serde_json::Value;
use std::slice;
use std::sync::{Arc, RwLock};
use tokenizers::Tokenizer;

const BYTE_LEVEL: i32 = 0;
const PIECES: i32 = 1;
const PIECES_WITHOUT_FIRST_SPACE: i32 = 2;
const OTHER: i32 = 3;

pub struct Handle {
    pub tokenizer: Tokenizer,
    decoder_kind: i32,
    size: i64,
}

impl Handle {
    pub fn new(mut tokenizer: Tokenizer) -> Result<Self, String> {
        // A file may carry the truncation and padding of some training run; here the caller alone decides on both.
        tokenizer.with_truncation(None).map_err(|error| error.to_string())?;
        tokenizer.with_padding(None);
        let largest = tokenizer.get_vocab(true).values().copied().max();
        let decoder = serde_json::to_value(tokenizer.get_decoder()).map_err(|error| error.to_string())?;
        Ok(Handle { decoder_kind: decoder_kind(&decoder), size: largest.map_or(0, |id| id as i64 + 1), tokenizer })
    }

    fn token(&self, id: i64) -> Option<String> {
        self.tokenizer.id_to_token(u32::try_from(id).ok()?)
    }
}

/// Recognises the two families whose tokens stand for fixed bytes; the order is that of text::DecoderKind.
fn decoder_kind(decoder: &Value) -> i32 {
    let alone = [decoder.clone()];
    let steps = decoder["decoders"].as_array().map_or(&alone[..], |steps| &steps[..]);
    let names: Vec<&str> = steps.iter().map(|step| step["type"].as_str().unwrap_or("")).collect();
    let spaces = || steps[0]["pattern"]["String"] == "▁" && steps[0]["content"] == " ";
    match names[..] {
        ["ByteLevel"] => BYTE_LEVEL,
        ["Replace", "ByteFallback", "Fuse"] if spaces() => PIECES,
        ["Replace", "ByteFallback", "Fuse", "Strip"]
            if spaces() && steps[3]["content"] == " " && steps[3]["start"] == 1 && steps[3]["stop"] == 0 =>
        {
            PIECES_WITHOUT_FIRST_SPACE
        }
        _ => OTHER,
    }
}

/// The byte that a token like <0xE4> stands for, by the rule of the library's own ByteFallback decoder.
fn fallback_byte(token: &str) -> Option<u8> {
    let digits = token.strip_prefix("<0x")?.strip_suffix('>')?;
    (digits.len() == 2).then(|| u8::from_str_radix(digits, 16).ok())?
}

/// The bytes of a byte-level token: each character stands for one, unless one of them is outside that alphabet.
fn byte_level_bytes(token: &str) -> Vec<u8> {
    // The library keeps its table to itself, so the 256 characters are turned back into bytes here: the printable Latin-1
    // ones stand for themselves, the others for U+0100 onwards, in their order (Radford et al. 2019, GPT-2's encoder).
    let printable = |byte: u32| matches!(byte, 0x21..=0x7e | 0xa1..=0xac | 0xae..=0xff);
    let hidden: Vec<u8> = (0u32..256).filter(|byte| !printable(*byte)).map(|byte| byte as u8).collect();
    let byte = |character: char| {
        let code = character as u32;
        match code {
            _ if printable(code) => Some(code as u8),
            0x100.. => hidden.get(code as usize - 0x100).copied(),
            _ => None,
        }
    };
    token.chars().map(byte).collect::<Option<Vec<u8>>>().unwrap_or_else(|| token.as_bytes().to_vec())
}

static POOL: RwLock<Option<Arc<ThreadPool>>> = RwLock::new(None);

#[no_mangle]
pub unsafe extern "C" fn rlhf_set_threads(threads: usize, error: *mut Bytes) -> bool {
    guard(error, || {
        let pool = match threads {
            0 => None,
            _ => Some(Arc::new(
                rayon::ThreadPoolBuilder::new().num_threads(threads).build().map_err(|error| error.to_string())?,
            )),
        };
        *POOL.write().map_err(|error| error.to_string())? = pool;
        Ok(())
    })
    .is_some()
}

pub fn in_pool<R: Send>(work: impl FnOnce() -> R + Send) -> R {
    let pool = POOL.read().ok().and_then(|pool| pool.clone());
    match pool {
        Some(pool) => pool.install(work),
        None => work(),
    }
}

#[no_mangle]
pub unsafe extern "C" fn rlhf_tokenizer_from_json(json: View, error: *mut Bytes) -> *mut Handle {
    guard(error, || {
        let tokenizer = Tokenizer::from_bytes(json.bytes()).map_err(|error| error.to_string())?;
        Ok(Box::into_raw(Box::new(Handle::new(tokenizer)?)))
    })
    .unwrap_or(std::ptr::null_mut())
}

#[no_mangle]
pub unsafe extern "C" fn rlhf_tokenizer_free(handle: *mut Handle) {
    if !handle.is_null() {
        drop(Box::from_raw(handle));
    }
}

#[no_mangle]
pub unsafe extern "C" fn rlhf_tokenizer_to_json(handle: *const Handle, json: *mut Bytes, error: *mut Bytes) -> bool {
    guard(error, || {
        let text = (*handle).tokenizer.to_string(true).map_err(|error| error.to_string())?;
        *json = Bytes::new(text.into_bytes());
        Ok(())
    })
    .is_some()
}

#[no_mangle]
pub unsafe extern "C" fn rlhf_tokenizer_encode(
    handle: *const Handle,
    views: *const View,
    count: usize,
    add_special: bool,
    ids: *mut Ids,
    lengths: *mut usize,
    error: *mut Bytes,
) -> bool {
    guard(error, || {
        let tokenizer = &(*handle).tokenizer;
        let inputs = texts(views, count)?;
        let encodings = if count == 1 {
            tokenizer.encode_fast(inputs[0], add_special).map(|encoding| vec![encoding])
        } else {
            in_pool(|| tokenizer.encode_batch_fast(inputs, add_special))
        }
        .map_err(|error| error.to_string())?;
        let mut all = Vec::with_capacity(encodings.iter().map(|encoding| encoding.len()).sum());
        for (i, encoding) in encodings.iter().enumerate() {
            *lengths.add(i) = encoding.len();
            all.extend(encoding.get_ids().iter().map(|id| *id as i64));
        }
        *ids = Ids::new(all);
        Ok(())
    })
    .is_some()
}

#[no_mangle]
pub unsafe extern "C" fn rlhf_tokenizer_decode(
    handle: *const Handle,
    ids: *const i64,
    count: usize,
    skip_special: bool,
    text: *mut Bytes,
    error: *mut Bytes,
) -> bool {
    guard(error, || {
        let ids = if count == 0 { &[][..] } else { slice::from_raw_parts(ids, count) };
        // Ids too large for u32 are too large for any vocabulary: no text, as for others beyond its end.
        let known: Vec<u32> = ids.iter().filter_map(|id| u32::try_from(*id).ok()).collect();
        let decoded = (*handle).tokenizer.decode(&known, skip_special).map_err(|error| error.to_string())?;
        *text = Bytes::new(decoded.into_bytes());
        Ok(())
    })
    .is_some()
}

#[no_mangle]
pub unsafe extern "C" fn rlhf_tokenizer_size(handle: *const Handle) -> i64 {
    (*handle).size
}

#[no_mangle]
pub unsafe extern "C" fn rlhf_tokenizer_decoder_kind(handle: *const Handle) -> i32 {
    (*handle).decoder_kind
}

#[no_mangle]
pub unsafe extern "C" fn rlhf_tokenizer_is_special(handle: *const Handle, id: i64) -> bool {
    guard(std::ptr::null_mut(), || {
        let added = (*handle).tokenizer.get_added_vocabulary();
        Ok((*handle).token(id).is_some_and(|token| added.is_special_token(&token)))
    })
    .unwrap_or(false)
}

#[no_mangle]
pub unsafe extern "C" fn rlhf_tokenizer_id(handle: *const Handle, token: View) -> i64 {
    guard(std::ptr::null_mut(), || Ok((*handle).tokenizer.token_to_id(token.text()?).map_or(-1, |id| id as i64)))
        .unwrap_or(-1)
}

#[no_mangle]
pub unsafe extern "C" fn rlhf_tokenizer_token(handle: *const Handle, id: i64, token: *mut Bytes) -> bool {
    guard(std::ptr::null_mut(), || {
        let found = (*handle).token(id).ok_or_else(String::new)?;
        *token = Bytes::new(found.into_bytes());
        Ok(())
    })
    .is_some()
}

#[no_mangle]
pub unsafe extern "C" fn rlhf_tokenizer_token_bytes(
    handle: *const Handle,
    id: i64,
    bytes: *mut Bytes,
    is_byte: *mut bool,
) -> bool {
    guard(std::ptr::null_mut(), || {
        let handle = &*handle;
        let token = handle.token(id).ok_or_else(String::new)?;
        *is_byte = false;
        let content = match handle.decoder_kind {
            BYTE_LEVEL => byte_level_bytes(&token),
            PIECES | PIECES_WITHOUT_FIRST_SPACE => match fallback_byte(&token) {
                Some(byte) => {
                    *is_byte = true;
                    vec![byte]
                }
                None => token.replace('▁', " ").into_bytes(),
            },
            _ => token.into_bytes(),
        };
        *bytes = Bytes::new(content);
        Ok(())
    })
    .is_some()
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokenizers::pre_tokenizers::byte_level::ByteLevel;
    use tokenizers::Decoder;

    #[test]
    fn byte_level_table_is_the_library_s() {
        for byte in 0u8..=255 {
            let token: String =
                ByteLevel::alphabet().into_iter().filter(|c| byte_level_bytes(&c.to_string()) == [byte]).collect();
            assert_eq!(token.chars().count(), 1, "byte {byte}");
            let back = ByteLevel::default().decode_chain(vec![token]).unwrap().concat();
            assert_eq!(back, String::from_utf8_lossy(&[byte]));
        }
    }
}
