//! Running without the GVL (P4).

use ccache_core::remote::{Operation, RemoteError};
use ccache_core::{Clock, Nanos};
use magnus::{Error, ExceptionClass, Module, Ruby};
use std::any::Any;
use std::ffi::c_void;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::task::Poll;

/// Runs `work` without the GVL: other Ruby threads go on meanwhile. `work` must
/// not touch Ruby, which `Send` cannot say for `Value`s, so it captures none.
///
/// An interrupt that is pending (a kill, a timeout, a signal handler that
/// raises) is acted upon before `work` has run, never in the middle: the error
/// then says that nothing was done. A panic goes on in the caller.
///
/// `rb_nogvl` with `INTR_FAIL` returns without having run the function when an
/// interrupt is pending, and never raises through Rust's frames, as
/// `rb_thread_call_without_gvl` does.
///
/// Ruby 3.4's `RB_NOGVL_OFFLOAD_SAFE` is not among the flags, although `work` could
/// run on any thread. With it a fiber scheduler's Ruby code waits for `work`: it may
/// be left by an exception (through Rust's frames) while the scheduler's thread is
/// still inside, and works on what stood in those frames, Ruby's own among them.
///
/// Where Ruby itself would go no deeper, `work` is not begun: if it ran into the end of
/// the stack, Ruby would jump out of its frames, whatever these own. So `work` needs less
/// than the 16 KiB that Ruby sees to: it does not recurse and has its buffers on the heap.
pub(crate) fn without_gvl<T: Send>(
    ruby: &Ruby,
    work: impl FnOnce() -> T + Send,
) -> Result<T, Error> {
    // SAFETY: the GVL is held (`ruby`), so this is a thread of Ruby's; looks at addresses
    // alone.
    if unsafe { rb_sys::ruby_stack_check() } != 0 {
        return Err(no_stack(ruby));
    }
    struct Job<F, T> {
        work: Option<F>,
        result: Option<Result<T, Box<dyn Any + Send>>>,
    }

    unsafe extern "C" fn run<F: FnOnce() -> T, T>(job: *mut c_void) -> *mut c_void {
        // SAFETY: `job` points to the caller's `Job`, which waits for us.
        let job = unsafe { &mut *job.cast::<Job<F, T>>() };
        if let Some(work) = job.work.take() {
            job.result = Some(catch_unwind(AssertUnwindSafe(work)));
        }
        std::ptr::null_mut()
    }

    fn runner<F: FnOnce() -> T, T>(
        _: &Job<F, T>,
    ) -> unsafe extern "C" fn(*mut c_void) -> *mut c_void {
        run::<F, T>
    }

    let mut job = Job {
        work: Some(work),
        result: None,
    };
    let function = runner(&job);
    loop {
        // SAFETY: the GVL is held (`ruby`) and no lock of ours is; `function`
        // takes the `job` it is given, and runs at most once. Without an unblock
        // function an interrupt waits until `work` is done.
        unsafe {
            rb_sys::rb_nogvl(
                Some(function),
                (&raw mut job).cast(),
                None,
                std::ptr::null_mut(),
                rb_sys::RB_NOGVL_INTR_FAIL as _,
            );
        }
        match job.result.take() {
            Some(Ok(result)) => return Ok(result),
            Some(Err(panic)) => resume_unwind(panic),
            None => check_interrupts(ruby)?,
        }
    }
}

/// As Ruby says it.
#[cold]
fn no_stack(ruby: &Ruby) -> Error {
    let class = ruby.class_object().const_get("SystemStackError");
    class.map_or_else(
        |error| error,
        |class: ExceptionClass| Error::new(class, "stack level too deep"),
    )
}

/// How long a thread waits for the server before it looks whether it is wanted
/// elsewhere: a kill, a timeout or a signal takes effect within that and a tick.
///
/// An unblock function would be told at once, but Ruby 3.1 starts a thread for each
/// wait to call it from when a process has one thread alone, and may miss a signal
/// when it has had two.
const LOOK: Nanos = 40_000_000;

/// Waits for the server without the GVL. What takes the thread elsewhere for good (a
/// kill, an exception) gives the operation up; any other interrupt lets it go on
/// where it was.
pub(crate) fn wait_for<O: Operation>(
    ruby: &Ruby,
    clock: &Clock,
    mut operation: O,
) -> Result<Result<O::Output, RemoteError>, Error> {
    loop {
        let operation = &mut operation;
        let wait = move || operation.wait(clock.now() + LOOK);
        match without_gvl(ruby, wait)? {
            Poll::Ready(outcome) => return Ok(outcome),
            Poll::Pending => check_interrupts(ruby)?,
        }
    }
}

/// Acts upon pending interrupts: a kill or a raise comes back as an error.
fn check_interrupts(ruby: &Ruby) -> Result<(), Error> {
    magnus::rb_sys::protect(|| {
        // SAFETY: the GVL is held (`ruby`) and no lock of ours is.
        unsafe { rb_sys::rb_thread_check_ints() };
        magnus::rb_sys::AsRawValue::as_raw(ruby.qnil())
    })
    .map(|_| ())
}
