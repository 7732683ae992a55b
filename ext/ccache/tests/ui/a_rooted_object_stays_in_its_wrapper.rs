use ccache::handle::Rooted;
use magnus::Value;

fn call(rooted: Rooted<'_>) -> Value {
    rooted.value()
}

fn reach_in(rooted: Rooted<'_>) -> Value {
    rooted.value
}

fn main() {}
