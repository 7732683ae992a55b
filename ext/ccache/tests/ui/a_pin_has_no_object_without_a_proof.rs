use ccache::handle::{PinHandle, Rooted};
use magnus::Value;

fn ask_for_no_proof(pin: &PinHandle) -> Option<Rooted<'_>> {
    pin.root()
}

fn ask_for_the_object(pin: &PinHandle) -> Value {
    pin.value()
}

fn open_the_pin(pin: &PinHandle) -> usize {
    pin.0.word()
}

fn convert(pin: PinHandle) -> Value {
    pin.into()
}

fn main() {}
