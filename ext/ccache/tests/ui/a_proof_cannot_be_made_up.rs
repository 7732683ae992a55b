use ccache::handle::Live;
use ccache::store::Store;
use magnus::Value;

fn call_the_constructor<'a>(object: Value, store: &'a Store) -> Live<'a> {
    unsafe { Live::new(object, store) }
}

fn take_the_default() -> Live<'static> {
    Live::default()
}

fn main() {}
