//! The atomics used by the hand-made concurrent parts ([`slots`](crate::slots)
//! and [`gate`](crate::gate)): std's, or loom's when its model checker runs.

#[cfg(loom)]
pub(crate) use modelled::{AtomicIsize, AtomicU32, AtomicU64, AtomicUsize};
#[cfg(not(loom))]
pub(crate) use std::sync::atomic::{AtomicIsize, AtomicU32, AtomicU64, AtomicUsize};
// Under loom too: a receiver `&Arc<Self>` must be std's, and `Arc` is not what is checked.
pub(crate) use std::sync::{Arc, atomic::Ordering};

/// Lets another thread run: the whole wait of a spinning thread under loom.
#[cfg(loom)]
pub(crate) fn pause() {
    loom::thread::yield_now();
}

/// Lets another thread run: a sleep, since what is waited for may be a fork.
#[cfg(not(loom))]
pub(crate) fn pause() {
    std::thread::sleep(std::time::Duration::from_micros(50));
}

/// Loom's atomics, with a fence between each two `SeqCst` accesses of a thread:
/// loom takes such an access for an `AcqRel` one, which is not enough for the
/// gate, and models `SeqCst` fences as they are.
#[cfg(loom)]
mod modelled {
    use loom::sync::atomic::fence;
    use std::cell::Cell;
    use std::sync::atomic::Ordering;

    loom::thread_local! {
        static LAST_WAS_SEQ_CST: Cell<bool> = Cell::new(false);
    }

    fn in_order<R>(order: Ordering, access: impl FnOnce() -> R) -> R {
        let is_seq_cst = order == Ordering::SeqCst;
        if LAST_WAS_SEQ_CST.with(|last| last.replace(is_seq_cst)) && is_seq_cst {
            fence(Ordering::SeqCst);
        }
        access()
    }

    macro_rules! atomics {
        ($($name:ident of $number:ty,)*) => {$(
            #[derive(Debug)]
            pub(crate) struct $name(loom::sync::atomic::$name);

            #[allow(dead_code)] // no type needs all of them
            impl $name {
                pub(crate) fn new(value: $number) -> Self {
                    Self(loom::sync::atomic::$name::new(value))
                }

                pub(crate) fn load(&self, order: Ordering) -> $number {
                    in_order(order, || self.0.load(order))
                }

                pub(crate) fn store(&self, value: $number, order: Ordering) {
                    in_order(order, || self.0.store(value, order));
                }

                pub(crate) fn fetch_add(&self, value: $number, order: Ordering) -> $number {
                    in_order(order, || self.0.fetch_add(value, order))
                }

                pub(crate) fn fetch_sub(&self, value: $number, order: Ordering) -> $number {
                    in_order(order, || self.0.fetch_sub(value, order))
                }

                pub(crate) fn fetch_or(&self, value: $number, order: Ordering) -> $number {
                    in_order(order, || self.0.fetch_or(value, order))
                }

                pub(crate) fn compare_exchange(
                    &self,
                    current: $number,
                    new: $number,
                    success: Ordering,
                    failure: Ordering,
                ) -> Result<$number, $number> {
                    in_order(success, || {
                        self.0.compare_exchange(current, new, success, failure)
                    })
                }

                pub(crate) fn compare_exchange_weak(
                    &self,
                    current: $number,
                    new: $number,
                    success: Ordering,
                    failure: Ordering,
                ) -> Result<$number, $number> {
                    self.compare_exchange(current, new, success, failure)
                }
            }
        )*};
    }

    atomics! {
        AtomicIsize of isize,
        AtomicU32 of u32,
        AtomicU64 of u64,
        AtomicUsize of usize,
    }
}
