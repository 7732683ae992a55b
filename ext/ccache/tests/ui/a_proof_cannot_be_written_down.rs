use ccache::handle::Live;
use ccache::store::Store;
use magnus::Value;
use std::marker::PhantomData;

fn write_down<'a>(object: Value, store: &'a Store) -> Live<'a> {
    Live {
        object,
        store,
        not_send: PhantomData,
    }
}

fn main() {}
