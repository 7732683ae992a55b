//! Neither a proof nor what it proved is `Send` or `Sync`: if one were, the call
//! below would be ambiguous. (The error for a `thread::spawn` would say the same,
//! at the length of all types in between.)

use ccache::handle::{Live, Rooted};

struct IsSend;
struct IsSync;

trait Stays<Unless> {
    fn on_its_thread() {}
}

impl<T> Stays<()> for T {}
impl<T: Send> Stays<IsSend> for T {}
impl<T: Sync> Stays<IsSync> for T {}

fn main() {
    <Live<'static> as Stays<_>>::on_its_thread();
    <Rooted<'static> as Stays<_>>::on_its_thread();
}
