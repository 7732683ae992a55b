use ccache::handle::{Live, PinHandle, Rooted};
use ccache_core::{Cache, HeapBytes, Write};

struct Wrapped<'a>(Option<Rooted<'a>>);

impl HeapBytes for Wrapped<'_> {
    fn heap_bytes(&self) -> usize {
        0
    }
}

fn put(cache: &Cache<Wrapped<'static>>, pin: &PinHandle, live: Live<'_>, write: Write) {
    let _ = cache.write(b"key", Wrapped(pin.root(&live)), write);
}

fn main() {}
