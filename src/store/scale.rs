//! The cells in which latencies are counted for charts: as wide as the eye finds equal on a
//! logarithmic axis, with bounds that read well and are whole nanoseconds.

use crate::time::Nanos;

/// Cells per factor of ten. The bounds are the preferred numbers of ISO 3 (1, 1.6, 2.5, 4, 6.3, 10
/// where there are five), so that each finer scale divides the cells of the coarser ones.
///
/// The first cell takes what is below 1 µs, the last one what is 1000 s or more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs)]
pub enum Scale {
    One,
    Five,
    Ten,
    Twenty,
}

/// The bounds of twenty cells, in hundredths.
const BOUNDS: [u64; FINEST] = [
    100, 112, 125, 140, 160, 180, 200, 224, 250, 280, 315, 355, 400, 450, 500, 560, 630, 710, 800,
    900,
];

/// Cells per factor of ten of the finest scale.
const FINEST: usize = 20;

/// From 1 µs to 1000 s.
const DECADES: usize = 9;

/// Nanoseconds at which the first cell ends and the last one begins.
const LOWEST: u64 = 1_000;
const HIGHEST: u64 = 1_000_000_000_000;

impl Scale {
    /// Cells per factor of ten.
    pub const fn per_decade(self) -> usize {
        match self {
            Self::One => 1,
            Self::Five => 5,
            Self::Ten => 10,
            Self::Twenty => FINEST,
        }
    }

    /// How many cells there are, the first and the last one included.
    pub const fn cells(self) -> usize {
        DECADES * self.per_decade() + 2
    }

    /// The cell that takes this latency.
    pub fn cell(self, latency: Nanos) -> usize {
        let nanos = latency.get();
        if nanos < LOWEST {
            return 0;
        }
        if nanos >= HIGHEST {
            return self.cells() - 1;
        }
        let decade = nanos.ilog10() - LOWEST.ilog10();
        let hundredth = 10_u64.pow(decade + 1);
        let within = BOUNDS.partition_point(|bound| bound * hundredth <= nanos) - 1;
        let finest = decade as usize * FINEST + within;
        1 + finest / (FINEST / self.per_decade())
    }

    /// The shortest latency that `cell` takes.
    pub fn low(self, cell: usize) -> Nanos {
        let Some(place) = cell.checked_sub(1) else { return Nanos::ZERO };
        let (decade, within) = (place / self.per_decade(), place % self.per_decade());
        let bound = BOUNDS.get(within * (FINEST / self.per_decade()));
        match (bound, u32::try_from(decade)) {
            (Some(bound), Ok(decade)) if place < self.cells() - 2 => {
                Nanos::new(bound * 10_u64.pow(decade + 1))
            }
            _ => Nanos::new(HIGHEST),
        }
    }

    /// The latency from which on `cell` takes none; `None` for the last one, which has no end.
    pub fn high(self, cell: usize) -> Option<Nanos> {
        (cell + 1 < self.cells()).then(|| self.low(cell + 1))
    }

    /// The cell that takes all of cell `finer` of a scale that is no coarser.
    pub fn cell_of(self, finer: usize, scale: Self) -> usize {
        self.cell(scale.low(finer))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ALL: [Scale; 4] = [Scale::One, Scale::Five, Scale::Ten, Scale::Twenty];

    #[test]
    fn bounds_read_well() {
        let lows = |scale: Scale, from: u64| {
            let first = scale.cell(Nanos::new(from));
            [0, 1, 2, 3, 4, 5].map(|cell| scale.low(first + cell).get() / (from / 100))
        };
        assert_eq!(lows(Scale::Five, 1_000_000), [100, 160, 250, 400, 630, 1_000]);
        assert_eq!(lows(Scale::Ten, 10_000), [100, 125, 160, 200, 250, 315]);
        assert_eq!(lows(Scale::Twenty, 1_000), [100, 112, 125, 140, 160, 180]);
        assert_eq!(lows(Scale::One, 1_000), [100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000]);
    }

    #[test]
    fn the_first_and_the_last_cell_take_what_lies_beyond() {
        for scale in ALL {
            assert_eq!((scale.cell(Nanos::ZERO), scale.cell(Nanos::new(999))), (0, 0));
            assert_eq!((scale.cell(Nanos::new(1_000)), scale.low(1).get()), (1, 1_000));
            let last = scale.cells() - 1;
            assert_eq!(scale.cell(Nanos::from_secs(1_000)), last);
            assert_eq!(scale.cell(Nanos::new(999_999_999_999)), last - 1);
            assert_eq!(scale.cell(Nanos::new(u64::MAX)), last);
            assert_eq!((scale.low(last), scale.high(last)), (Nanos::from_secs(1_000), None));
        }
    }

    proptest! {
        #[test]
        fn a_latency_lies_between_the_bounds_of_its_cell(power in 0_u32..64, low: u64) {
            let latency = Nanos::new(low >> power);
            for scale in ALL {
                let cell = scale.cell(latency);
                prop_assert!(cell < scale.cells());
                prop_assert!(scale.low(cell) <= latency);
                prop_assert!(scale.high(cell).is_none_or(|high| latency < high));
                for finer in ALL.into_iter().filter(|finer| finer.per_decade() >= scale.per_decade()) {
                    prop_assert_eq!(scale.cell_of(finer.cell(latency), finer), cell);
                }
            }
        }
    }
}
