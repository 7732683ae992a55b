use ccache::handle::Rooted;
use ccache::stored::Stored;
use ccache_core::{Cache, Config};

fn in_a_cache_of_its_own(config: Config) {
    Cache::<Rooted<'static>>::new(config);
}

fn as_if_it_were_pinned(rooted: Rooted<'_>) -> Stored {
    Stored::Pinned(rooted)
}

fn main() {}
