//! What one decision reads more than once of its providers is read once: it costs most of the time.

use super::provider::Provider;
use serde_json::Value;
use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

#[derive(Default)]
struct Memory {
    providers: HashMap<(String, Option<String>), Option<Rc<Provider>>>,
    /// By the place of what is read, which stays where it is as long as the decision takes.
    names: HashMap<*const Value, Rc<Vec<String>>>,
}

thread_local! {
    static MEMORY: RefCell<Option<Memory>> = const { RefCell::new(None) };
}

/// Decides with a memory of its own, which is gone at the end.
pub(crate) fn within<T>(decide: impl FnOnce() -> T) -> T {
    let before = MEMORY.replace(Some(Memory::default()));
    let decided = decide();
    MEMORY.set(before);
    decided
}

/// The provider of that name and namespace, if it was read before.
pub(crate) fn provider(
    (id, namespace): (&str, Option<&str>),
    read: impl FnOnce() -> Option<Provider>,
) -> Option<Rc<Provider>> {
    let key = (id.to_owned(), namespace.map(str::to_owned));
    let known = MEMORY.with_borrow(|memory| memory.as_ref()?.providers.get(&key).cloned());
    known.unwrap_or_else(|| {
        let provider = read().map(Rc::new);
        MEMORY.with_borrow_mut(|memory| {
            if let Some(memory) = memory {
                memory.providers.insert(key, provider.clone());
            }
        });
        provider
    })
}

/// The names of the issuer that a resource describes.
pub(crate) fn names(said: &Value, read: impl FnOnce(&Value) -> Vec<String>) -> Rc<Vec<String>> {
    let key = std::ptr::from_ref(said);
    let known = MEMORY.with_borrow(|memory| memory.as_ref()?.names.get(&key).cloned());
    known.unwrap_or_else(|| {
        let names = Rc::new(read(said));
        MEMORY.with_borrow_mut(|memory| {
            if let Some(memory) = memory {
                memory.names.insert(key, Rc::clone(&names));
            }
        });
        names
    })
}
