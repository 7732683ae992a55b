use ccache::handle::{Live, PinHandle, Rooted};
use std::cell::Cell;

thread_local! {
    static KEPT: Cell<Option<Rooted<'static>>> = const { Cell::new(None) };
}

fn outlive(pin: &PinHandle, live: Live<'_>) -> Option<Rooted<'static>> {
    pin.root(&live)
}

fn borrow_from_the_pin<'p>(pin: &'p PinHandle, live: &Live<'_>) -> Option<Rooted<'p>> {
    pin.root(live)
}

fn keep(pin: &PinHandle, live: Live<'_>) {
    KEPT.set(pin.root(&live));
}

fn keep_the_proof(live: Live<'_>) -> Live<'static> {
    live
}

fn main() {}
