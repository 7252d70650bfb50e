//! Scenarios of bytes: out of order, sent again, missing; and in which order they are told.

use super::*;

#[test]
fn segments_out_of_order_keep_their_packets() {
    check(
        "
        C SYN
        S SYN
        C 5 world
        C 15 again
        C 10 dlrow
        C 0 hello
        S ok ack=20
        ",
        "
        open: server S known, from start both #1
        C 0 hello #6
        C 5 world #3
        C 10 dlrow #5
        C 15 again #4
        S 0 ok #7
        CaptureEnded #7
        ",
    );
}

#[test]
fn a_retransmission_is_counted_and_not_told_again() {
    let mut run = Script::new(Config::default());
    let told = run.run("C SYN\nS SYN\nC hello\nC 0 hello\nC 0 helloworld\nC 3 lowor").finish();
    assert!(told.contains("C 0 hello #3\nC 5 world #5\nCaptureEnded #6"), "{told}");
    assert_eq!(run.streams.counts().retransmissions, 2);
    assert_eq!(run.streams.counts().conflicting, 0);
}

#[test]
fn of_overlapping_bytes_the_first_win_and_a_difference_is_counted() {
    let mut run = Script::new(Config::default());
    let told = run.run("C SYN\nS SYN\nC 3 DEF\nC 8 IJ\nC 0 abcdefghijkl").finish();
    let expected = "C 0 abc #5\nC 3 DEF #3\nC 6 gh #5\nC 8 IJ #4\nC 10 kl #5\n";
    assert!(told.contains(expected), "{told}");
    assert_eq!(run.streams.counts().conflicting, 1);
}

#[test]
fn a_zero_window_probe_is_data() {
    check(
        "
        C SYN
        S SYN
        C hello
        C w
        S ack=6
        C orld
        ",
        "
        open: server S known, from start both #1
        C 0 hello #3
        C 5 w #4
        C 6 orld #6
        CaptureEnded #6
        ",
    );
}

#[test]
fn bytes_that_were_acknowledged_are_a_gap_when_the_window_has_passed() {
    check(
        "
        C SYN
        S SYN
        C 5 world
        S ack=10
        wait 9000
        C again
        pass
        ",
        "
        open: server S known, from start both #1
        C gap 5 #3
        C 5 world #3
        C 10 again #5
        CaptureEnded #5
        ",
    );
}

#[test]
fn bytes_that_were_not_acknowledged_wait_for_their_retransmission() {
    check(
        "
        C SYN
        S SYN
        C 5 world
        S ack=0
        wait 3000
        C 0 hello
        C 15 again
        wait 3000
        wait 3000
        ",
        "
        open: server S known, from start both #1
        C 0 hello #5
        C 5 world #3
        C gap 5 #6
        C 15 again #6
        CaptureEnded #6
        ",
    );
}

#[test]
fn a_gap_at_the_tail_is_told_by_the_acknowledgement() {
    check(
        "
        C SYN
        S SYN
        C hello
        S ack=10
        pass
        ",
        "
        open: server S known, from start both #1
        C 0 hello #3
        C gap 5 #4
        CaptureEnded #4
        ",
    );
}

#[test]
fn a_fin_that_the_capture_lacks_is_no_gap() {
    check(
        "
        C SYN
        S SYN
        C hello
        S ack=6
        pass
        S world ack=6 FIN
        C 6
        pass
        ",
        "
        open: server S known, from start both #1
        C 0 hello #3
        S 0 world #5
        CaptureEnded #6
        ",
    );
}

#[test]
fn a_reply_is_never_told_before_its_request() {
    check(
        "
        C SYN
        S SYN
        S world ack=5 #=4
        C hello ack=0 #=3
        ",
        "
        open: server S known, from start both #1
        C 0 hello #3
        S 0 world #4
        CaptureEnded #4
        ",
    );
}

#[test]
fn a_reply_to_a_request_that_the_capture_lacks_comes_behind_the_gap() {
    check(
        "
        C SYN
        S SYN
        S world ack=5
        wait 9000
        C 5 again ack=5
        pass
        ",
        "
        open: server S known, from start both #1
        C gap 5 #4
        S 0 world #3
        C 5 again #4
        CaptureEnded #4
        ",
    );
}

#[test]
fn a_retransmission_with_a_late_acknowledgement_does_not_stop_both_sides() {
    // The capture lacks the request, and sees it only when it is sent again, after the reply.
    check(
        "
        C SYN
        S SYN
        S world ack=5
        C 0 hello ack=5
        S again
        ",
        "
        open: server S known, from start both #1
        C 0 hello #4
        S 0 world #3
        S 5 again #5
        CaptureEnded #5
        ",
    );
}

#[test]
fn a_segment_with_an_absurd_acknowledgement_is_not_believed() {
    // Receivers discard it (RFC 5961, section 5), and the other side does not go on from there.
    let mut run = Script::new(Config::default());
    let told =
        run.run("C SYN\nS SYN\nC forged ack=1500000000\nC 0 hello ack=0\nS world ack=5").finish();
    assert!(told.contains("C 0 hello #4\nS 0 world #5\nCaptureEnded #5"), "{told}");
    assert_eq!(run.streams.counts().discarded.outside_window, 1);
    assert_eq!(run.streams.counts().gaps, 0);
}

#[test]
fn a_tail_cut_by_the_snap_length_is_a_gap() {
    check(
        "
        C SYN
        S SYN
        C missing=7 abc
        C next
        S ack=14
        pass
        C missing=2 x
        ",
        "
        open: server S known, from start both #1
        C 0 abc #3
        C gap 7 #4
        C 10 next #4
        C 14 x #6
        C gap 2 #6
        CaptureEnded #6
        ",
    );
}

#[test]
fn a_tail_cut_by_the_snap_length_may_be_filled() {
    check(
        "
        C SYN
        S SYN
        C missing=2 abc
        C 5 next
        C 3 de
        ",
        "
        open: server S known, from start both #1
        C 0 abc #3
        C 3 de #5
        C 5 next #4
        CaptureEnded #5
        ",
    );
}

#[test]
fn a_gap_does_not_end_before_what_lies_in_front_of_it() {
    // The bytes behind the hole were seen before those in front of it.
    check(
        "
        C SYN
        S SYN
        C 10 again
        C 0 hello
        S ack=15
        pass
        ",
        "
        open: server S known, from start both #1
        C 0 hello #4
        C gap 5 #4
        C 10 again #3
        CaptureEnded #5
        ",
    );
}
