use ccache::handle::PinHandle;

fn double(pin: &PinHandle) -> PinHandle {
    pin.clone()
}

fn main() {}
