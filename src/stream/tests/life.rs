//! Scenarios of whole connections: how they begin, who is who in them, and how they end.

use super::*;

#[test]
fn a_whole_connection() {
    check(
        "
        C SYN
        S SYN
        C hello
        S world
        C FIN
        S bye FIN
        C
        ",
        "
        open: server S known, from start both #1
        C 0 hello #3
        S 0 world #4
        S 5 bye #6
        Finished #6
        ",
    );
}

#[test]
fn a_handshake_alone_is_told_of() {
    check(
        "
        C SYN
        S SYN
        C
        ",
        "
        open: server S known, from start both #1
        CaptureEnded #3
        ",
    );
}

#[test]
fn a_refused_connection() {
    check(
        "
        C SYN
        S RST 0
        ",
        "
        Refused { by_network: false } 1 #2
        open: server S known, from start C #1
        Reset #2
        ",
    );
}

#[test]
fn keep_alives_are_neither_data_nor_retransmissions() {
    let mut run = Script::new(Config::default());
    let told =
        run.run("C SYN\nS SYN\nC -1\nC -1 x\nC hello\nS\nC 4\nS\nC 4 x\nS\nC world\nS").finish();
    assert!(told.contains("C 0 hello #5\nC 5 world #11\nCapture"), "{told}");
    assert_eq!(run.streams.counts().retransmissions, 0);
    assert_eq!(run.streams.counts().gaps, 0);
}

#[test]
fn data_on_the_syn() {
    check(
        "
        C SYN hello
        S SYN ack=5
        C world
        ",
        "
        open: server S known, from start both #1
        C 0 hello #1
        C 5 world #3
        CaptureEnded #3
        ",
    );
}

#[test]
fn a_half_closed_connection_goes_on() {
    check(
        "
        C SYN
        S SYN
        C hello FIN
        S
        pass
        S world
        pass
        S again
        C
        S FIN
        C
        pass
        ",
        "
        open: server S known, from start both #1
        C 0 hello #3
        S 0 world #5
        S 5 again #6
        Finished #8
        ",
    );
}

#[test]
fn data_after_a_reset_is_delivered_while_the_connection_lingers() {
    check(
        "
        C SYN
        S SYN
        C hello
        C RST
        S world ack=0
        pass
        ",
        "
        open: server S known, from start both #1
        C 0 hello #3
        S 0 world #5
        Reset #4
        ",
    );
}

#[test]
fn a_reset_that_does_not_fit_is_ignored() {
    check(
        "
        C SYN
        S SYN
        C hello
        C RST 100000000 ack=100000000
        pass
        C world
        ",
        "
        open: server S known, from start both #1
        C 0 hello #3
        C 5 world #5
        CaptureEnded #5
        ",
    );
}

#[test]
fn a_capture_that_began_late() {
    check(
        "
        C 100 world ack=50
        C 95 hello ack=50
        S 50 reply ack=105
        wait 11000
        C 105 again
        ",
        "
        open: server S guessed, from start neither #1
        C 0 hello #2
        C 5 world #1
        S 0 reply #3
        C 10 again #4
        CaptureEnded #4
        ",
    );
}

#[test]
fn a_capture_that_began_with_keep_alives() {
    check(
        "
        C 99 ack=50
        S 50 ack=100
        pass
        C 100 hello ack=50
        S 50 world ack=105
        ",
        "
        open: server S guessed, from start neither #1
        C 0 hello #3
        S 0 world #4
        CaptureEnded #4
        ",
    );
}

#[test]
fn one_direction_only() {
    check(
        "
        S SYN ack=0
        S hello ack=10
        pass
        S world ack=20
        S again ack=20
        S 20 end ack=20
        S FIN ack=21
        pass
        ",
        "
        open: server S known, from start both #1
        C gap 10 #2
        C gap 11 #6
        S 0 hello #2
        S 5 world #3
        S 10 again #4
        S gap 5 #5
        S 20 end #5
        CaptureEnded #6
        ",
    );
}

#[test]
fn a_syn_after_its_data_belongs_to_it() {
    check(
        "
        C 0 hello ack=0 #=4
        C 0 ack=0 #=3
        C 0 SYN noack #=1
        S SYN ack=0 #=2
        S world #=5
        ",
        "
        open: server S known, from start both #1
        C 0 hello #4
        S 0 world #5
        CaptureEnded #5
        ",
    );
}

#[test]
fn a_port_used_again_is_a_new_connection() {
    check(
        "
        C SYN
        S SYN
        C hello
        C 77777 SYN noack
        S 88888 SYN
        C 77777 again
        ",
        "
        open: server S known, from start both #1
        C 0 hello #3
        open: server S known, from start both #4
        C 0 again #6
        Replaced #5
        CaptureEnded #6
        ",
    );
}

#[test]
fn a_syn_sent_again_is_the_same_connection() {
    check(
        "
        C SYN
        C 0 SYN noack
        S SYN
        S 0 SYN
        C hello
        C 0 SYN noack
        ",
        "
        open: server S known, from start both #1
        C 0 hello #5
        CaptureEnded #6
        ",
    );
}

#[test]
fn what_follows_a_closed_connection_opens_none() {
    check(
        "
        C SYN
        S SYN
        C hello FIN
        S FIN
        pass
        C
        S FIN
        S RST
        ",
        "
        open: server S known, from start both #1
        C 0 hello #3
        Finished #4
        ",
    );
}

#[test]
fn ports_choose_the_connections_and_the_server() {
    let config = |ports: &str| Config { ports: ports.parse().unwrap(), ..Config::default() };
    let script = "C 7 hello\nS 7 world\npass";
    let told = |server, roles| {
        format!(
            "open: server {server} {roles}, from start neither #1\nC 0 hello #1\nS 0 world #2\nCaptureEnded #2"
        )
    };
    check_with(config("8888"), script, &told("S", "known"));
    check_with(config("40000"), script, &told("C", "known"));
    check_with(config("8000-50000"), script, &told("S", "guessed"));
    let mut run = Script::new(config("3000"));
    assert_eq!(run.run(script).finish(), "");
    assert_eq!(run.streams.counts().ignored, 2);
}

#[test]
fn what_is_left_of_an_older_connection_is_no_part_of_the_new_one() {
    check(
        "
        C SYN
        S SYN
        C hello
        C 900000000 SYN noack #=6
        C 5 older #=5
        S 700000000 SYN ack=900000000 #=7
        C 900000000 again #=8
        pass
        ",
        "
        open: server S known, from start both #1
        C 0 hello #3
        C 5 older #5
        open: server S known, from start both #6
        C 0 again #8
        Replaced #7
        CaptureEnded #8
        ",
    );
}

#[test]
fn what_was_taken_for_a_fin_was_a_byte_if_others_follow() {
    for last in ["pass", "", "wait 20000\nC 15 x"] {
        let mut run = Script::new(Config::default());
        let script = format!("C SYN\nS SYN\nC hello\nS ack=6\npass\nC 6 again\n{last}");
        let told = run.run(&script).finish();
        assert!(told.contains("C 0 hello #3\nC gap 1 #5\nC 6 again #5\n"), "{told}");
    }
}
