use ccache::handle::Rooted;
use magnus::Value;
use std::marker::PhantomData;

fn write_down(value: Value) -> Rooted<'static> {
    Rooted {
        value,
        proof: PhantomData,
    }
}

fn main() {}
