use super::PATIENCE;
use crate::clock::{Clock, NEVER};
use crate::remote::ticket::{Ticket, Woken};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

fn woken(ticket: &Ticket<u8>) -> Option<u8> {
    match ticket.wait(0, &Clock::manual()) {
        Woken::Answered(answer) => Some(answer),
        Woken::Called => Some(0),
        Woken::TimedOut => None,
    }
}

#[test]
fn nothing_wakes_a_ticket_but_the_time() {
    assert_eq!(woken(&Ticket::new()), None);
}

#[test]
fn an_answer_that_came_before_the_wait_is_given_once() {
    let ticket = Ticket::new();
    ticket.answer(7);
    assert_eq!((woken(&ticket), woken(&ticket)), (Some(7), None));
}

#[test]
fn a_call_that_came_before_the_wait_is_given_once_and_after_the_answer() {
    let ticket = Ticket::new();
    ticket.call();
    ticket.call();
    ticket.answer(7);
    assert_eq!(woken(&ticket), Some(7));
    assert_eq!((woken(&ticket), woken(&ticket)), (Some(0), None));
}

#[test]
fn who_sleeps_is_woken_by_its_answer_and_by_its_turn() {
    let wakes: [fn(&Ticket<u8>); 2] = [|ticket| ticket.answer(7), |ticket| assert!(ticket.call())];
    for wake in wakes {
        let ticket = Arc::new(Ticket::new());
        let (sender, woken) = mpsc::channel();
        let sleeping = Arc::clone(&ticket);
        thread::spawn(move || {
            let woken = sleeping.wait(NEVER, &Clock::manual());
            sender.send(!matches!(woken, Woken::TimedOut))
        });
        wake(&ticket);
        assert!(woken.recv_timeout(PATIENCE).unwrap());
    }
}

#[test]
fn who_is_elsewhere_is_not_called_but_gets_its_answer() {
    let ticket = Ticket::new();
    assert_eq!(woken(&ticket), None);
    assert!(!ticket.is_attended() && !ticket.call());
    ticket.answer(7);
    ticket.attend();
    assert_eq!((woken(&ticket), woken(&ticket)), (Some(7), None));
    ticket.attend();
    assert!(ticket.is_attended() && ticket.call());
    ticket.leave();
    assert!(!ticket.call());
}

#[test]
fn a_call_is_heard_or_refused_and_never_lost() {
    for _ in 0..1000 {
        let ticket = Arc::new(Ticket::<u8>::new());
        let (waiting, clock) = (Arc::clone(&ticket), Clock::manual());
        let moving = clock.clone();
        let waiting = thread::spawn(move || matches!(waiting.wait(1, &clock), Woken::Called));
        moving.advance(Duration::from_nanos(1));
        let was_taken = ticket.call();
        assert_eq!(waiting.join().unwrap(), was_taken);
    }
}

#[test]
fn an_answer_that_nobody_waits_for_any_more_is_dropped_with_its_ticket() {
    let (answer, ticket) = (Arc::new(()), Arc::new(Ticket::new()));
    let abandoned = Arc::downgrade(&answer);
    ticket.leave();
    ticket.answer(answer);
    drop(ticket);
    assert!(abandoned.upgrade().is_none());
}
