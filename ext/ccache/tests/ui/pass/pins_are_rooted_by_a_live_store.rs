//! What the API is for: pins go anywhere, and a proof roots them while it lasts.

use ccache::handle::{Live, PinHandle, Rooted};
use std::borrow::Borrow;

fn go_anywhere<T: Send + Sync + 'static>() {}

fn root_all<'a, P>(pins: &[P], live: &Live<'a>) -> Option<Vec<Rooted<'a>>>
where
    P: Borrow<PinHandle>,
{
    pins.iter().map(|pin| pin.borrow().root(live)).collect()
}

fn unpin_what_is_rooted<'a>(pin: PinHandle, live: &Live<'a>) -> Option<Rooted<'a>> {
    let rooted = pin.root(live);
    drop(pin);
    rooted
}

fn use_for_less_than_it_lasts<'a: 'b, 'b>(rooted: Rooted<'a>, _other: &Rooted<'b>) -> Rooted<'b> {
    rooted
}

fn main() {
    go_anywhere::<PinHandle>();
    let _ = root_all::<&PinHandle>;
    let _ = unpin_what_is_rooted;
    let _ = use_for_less_than_it_lasts;
}
