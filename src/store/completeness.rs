//! What was read, and what the capture lacks: the numbers without which no other can be read.

use std::collections::BTreeMap;

use crate::engine::Counts;
use crate::protocol::Foreign;
use crate::time::Timestamp;

/// What was read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Capture {
    /// Packets, of whatever protocol.
    pub packets: u64,
    /// Their bytes on the link, those cut by the snap length included.
    pub bytes: u64,
    /// TCP segments among them.
    pub segments: u64,
    /// The earliest and the latest time of a packet.
    pub span: Option<(Timestamp, Timestamp)>,
}

/// What was seen whole, and what was not. Every count is of the whole capture.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Completeness {
    /// Frames that were read.
    pub frames: u64,
    /// Frames that could not be read: no length, no JSON, cut by a gap or by the end.
    pub frames_undecodable: u64,
    /// Frames that are neither request, event nor reply.
    pub frames_other: u64,
    /// Packets that the kernel had no room for; `None` where nobody knows (a file).
    pub kernel_drops: Option<u64>,
    /// Places where bytes of a stream are missing.
    pub gaps: u64,
    /// The bytes missing there.
    pub gap_bytes: u64,
    /// Packets cut by the snap length.
    pub truncated_packets: u64,
    /// Packets whose headers make no sense.
    pub malformed_packets: u64,
    /// Packets of a link type that is not read.
    pub unknown_link_packets: u64,
    /// The number of the first such link type.
    pub unknown_link: Option<u16>,
    /// Fragments of IP packets of which the capture lacks the rest.
    pub fragments_lost: u64,
    /// Segments whose bytes had all been seen before.
    pub retransmissions: u64,
    /// Segments that repeated a position with other bytes; the first were kept.
    pub conflicting_segments: u64,
    /// Segments that cannot belong to the connection between their ends.
    pub out_of_window_segments: u64,
    /// Segments of connections that are not followed: none of their ports was asked for.
    pub other_port_segments: u64,
    /// Replies whose request the capture lacks.
    pub orphan_replies: u64,
    /// Replies to a call that had its final reply.
    pub late_replies: u64,
    /// Calls without final reply when the capture ended.
    pub calls_open: u64,
    /// Calls given up because too many were open.
    pub calls_evicted: u64,
    /// Calls without a latency because the clock of the capture stepped back.
    pub clock_steps: u64,
    /// Patterns that share the last row because there were too many.
    pub patterns_folded: u64,
    /// Connections given up because too many were followed.
    pub connections_evicted: u64,
    /// Times that waiting for missing bytes, for a request or for a confirmation was given up early
    /// because a bound was reached.
    pub waits_given_up: u64,
    /// Bytes at the end of a file that ended inside a packet.
    pub file_bytes_cut: u64,
    /// Connections that spoke something else, by what they spoke.
    pub foreign_connections: BTreeMap<Foreign, u64>,
    /// Segments with bytes that the capture holds more than once, because it saw them at several
    /// points.
    pub copies: u64,
    /// Exchanges of which nothing but their own bytes says that they are any.
    pub unsure: u64,
    /// Packets whose inside was not looked at, by what is around it.
    pub unopened: BTreeMap<String, u64>,
    /// Segments that were thrown away, by the reason.
    pub discarded: BTreeMap<&'static str, u64>,
    /// Gaps beside those, of which only what follows them tells: no packet of the other side does.
    pub unacknowledged_gaps: u64,
    /// Calls without a latency because a packet of theirs has no time.
    pub without_time: u64,
    /// Calls without a latency because their reply was captured before their request.
    pub reply_first: u64,
    /// Segments that were thrown away because a copy with a valid checksum says something else.
    pub damaged_copies: u64,
    /// Connections that are in the capture twice: before and after address translation.
    pub translated_connections: u64,
    /// Attempts to connect of which it is not known whether they failed: nothing that was sent to
    /// their clients was captured.
    pub one_sided_attempts: u64,
}

impl Capture {
    /// What was read, by what was counted.
    pub fn new(counts: &Counts) -> Self {
        Self {
            packets: counts.decode.packets,
            bytes: counts.decode.bytes,
            segments: counts.decode.segments,
            span: counts.span,
        }
    }

    /// What was read after `before` was.
    pub(super) fn since(&self, before: &Self) -> Self {
        Self {
            packets: self.packets.saturating_sub(before.packets),
            bytes: self.bytes.saturating_sub(before.bytes),
            segments: self.segments.saturating_sub(before.segments),
            span: self.span,
        }
    }
}

fn unopened(counts: &Counts) -> BTreeMap<String, u64> {
    counts.decode.unopened().map(|(kind, count)| (kind.to_string(), count)).collect()
}

fn discarded(counts: &Counts) -> BTreeMap<&'static str, u64> {
    let reasons = counts.stream.discarded.by_reason();
    reasons.into_iter().filter(|(_, count)| *count > 0).collect()
}

impl Completeness {
    /// What was seen whole and what was not, by what was counted. What only the source knows
    /// (kernel drops, a cut file) is to be added.
    pub fn new(counts: &Counts) -> Self {
        Self {
            frames: counts.protocol.frames,
            frames_undecodable: counts.protocol.undecodable,
            frames_other: counts.protocol.other,
            kernel_drops: None,
            gaps: counts.stream.gaps,
            gap_bytes: counts.stream.gap_bytes,
            truncated_packets: counts.decode.truncated,
            malformed_packets: counts.decode.malformed,
            unknown_link_packets: counts.decode.unknown_links,
            unknown_link: counts.decode.unknown_link.map(|link| link.0),
            fragments_lost: counts.decode.fragments_lost,
            retransmissions: counts.stream.retransmissions,
            conflicting_segments: counts.stream.conflicting,
            out_of_window_segments: counts.stream.discarded.outside_window,
            other_port_segments: counts.stream.ignored,
            orphan_replies: counts.exchange.orphan_replies,
            late_replies: counts.exchange.late_replies,
            calls_open: counts.open_calls,
            calls_evicted: counts.exchange.calls_evicted,
            clock_steps: counts.exchange.clock_steps,
            patterns_folded: counts.patterns_folded,
            connections_evicted: counts.stream.evicted_connections,
            waits_given_up: counts.stream.waits_given_up + counts.exchange.waits_given_up,
            file_bytes_cut: 0,
            foreign_connections: counts.protocol.foreign.clone(),
            copies: counts.stream.copies,
            unsure: counts.exchange.unsure,
            unopened: unopened(counts),
            discarded: discarded(counts),
            unacknowledged_gaps: counts.stream.unacknowledged_gaps,
            without_time: counts.exchange.without_time,
            reply_first: counts.exchange.reply_first,
            damaged_copies: counts.stream.damaged - counts.stream.damaged_believed,
            translated_connections: counts.stream.translated,
            one_sided_attempts: counts.stream.one_sided_syns,
        }
    }

    /// What was counted after `before` was. Calls that wait now are no count of what was.
    pub(super) fn since(&self, before: &Self) -> Self {
        let mut since = self.clone();
        let counts = [
            (&mut since.frames, before.frames),
            (&mut since.frames_undecodable, before.frames_undecodable),
            (&mut since.frames_other, before.frames_other),
            (&mut since.gaps, before.gaps),
            (&mut since.gap_bytes, before.gap_bytes),
            (&mut since.truncated_packets, before.truncated_packets),
            (&mut since.malformed_packets, before.malformed_packets),
            (&mut since.unknown_link_packets, before.unknown_link_packets),
            (&mut since.fragments_lost, before.fragments_lost),
            (&mut since.retransmissions, before.retransmissions),
            (&mut since.conflicting_segments, before.conflicting_segments),
            (&mut since.out_of_window_segments, before.out_of_window_segments),
            (&mut since.other_port_segments, before.other_port_segments),
            (&mut since.orphan_replies, before.orphan_replies),
            (&mut since.late_replies, before.late_replies),
            (&mut since.calls_evicted, before.calls_evicted),
            (&mut since.clock_steps, before.clock_steps),
            (&mut since.patterns_folded, before.patterns_folded),
            (&mut since.connections_evicted, before.connections_evicted),
            (&mut since.waits_given_up, before.waits_given_up),
            (&mut since.file_bytes_cut, before.file_bytes_cut),
            (&mut since.copies, before.copies),
            (&mut since.unsure, before.unsure),
            (&mut since.unacknowledged_gaps, before.unacknowledged_gaps),
            (&mut since.without_time, before.without_time),
            (&mut since.reply_first, before.reply_first),
            (&mut since.damaged_copies, before.damaged_copies),
            (&mut since.translated_connections, before.translated_connections),
            (&mut since.one_sided_attempts, before.one_sided_attempts),
        ];
        for (count, before) in counts {
            *count = count.saturating_sub(before);
        }
        if let (Some(drops), Some(before)) = (&mut since.kernel_drops, before.kernel_drops) {
            *drops = drops.saturating_sub(before);
        }
        subtract(&mut since.foreign_connections, &before.foreign_connections);
        subtract(&mut since.unopened, &before.unopened);
        subtract(&mut since.discarded, &before.discarded);
        since
    }
}

fn subtract<K: Ord>(counts: &mut BTreeMap<K, u64>, before: &BTreeMap<K, u64>) {
    counts.retain(|kind, count| {
        *count -= before.get(kind).copied().unwrap_or(0).min(*count);
        *count > 0
    });
}
