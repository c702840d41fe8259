//! Where a pattern's groups were found in the lines of a block: kept from the scan that finds the columns' types, so that reading does not
//! search the pattern a second time.
//!
//! Owns the small form of the places and the bound on their memory, which all tables share. What has no room is searched again, so that a
//! file of any size is read with the same result. Must not know patterns, nor what becomes of the texts.

use std::sync::atomic::{AtomicUsize, Ordering};

/// How many bytes the places of all blocks of all tables may take.
const MOST_BYTES: usize = 32 << 20;

/// How many of them nobody has.
static LEFT: AtomicUsize = AtomicUsize::new(MOST_BYTES);

/// The places of a block that is being scanned.
pub(super) struct Places {
    /// For each line, for each column, where its text begins and ends in the line; [`u16::MAX`] where the pattern is not in the line.
    places: Vec<u16>,
    /// How many bytes the longest line has.
    longest: usize,
    /// How many numbers there may be: more than this are no small part of the block's memory.
    most: usize,
    /// Whether every line until now was noted.
    is_whole: bool,
}

impl Places {
    /// No places yet, of a block of so many bytes.
    pub(super) fn new(block_bytes: usize) -> Self {
        let is_whole = LEFT.load(Ordering::Relaxed) > 0;
        Self { places: Vec::new(), longest: 0, most: block_bytes / size_of::<u16>(), is_whole }
    }

    /// Notes the places of the columns in the next line, which has so many bytes; where the pattern is not in it, that is said for each column.
    pub(super) fn add(&mut self, line_bytes: usize, places: impl Iterator<Item = Option<(usize, usize)>>) {
        self.longest = self.longest.max(line_bytes);
        if self.longest >= usize::from(u16::MAX) {
            self.give_up();
        }
        if !self.is_whole {
            return;
        }
        // None is beyond the line's end, so that each is a smaller number than the one for none.
        let small = |place: usize| u16::try_from(place).unwrap_or(u16::MAX);
        for place in places {
            let (start, end) = place.map_or((u16::MAX, u16::MAX), |(start, end)| (small(start), small(end)));
            self.places.extend_from_slice(&[start, end]);
        }
        if self.places.len() > self.most {
            self.give_up();
        }
    }

    fn give_up(&mut self) {
        (self.places, self.is_whole) = (Vec::new(), false);
    }

    /// The places in their small form, if every line was noted and there is room.
    pub(super) fn keep(self) -> Option<KeptPlaces> {
        if !self.is_whole {
            return None;
        }
        let is_narrow = self.longest < usize::from(u8::MAX);
        let bytes = self.places.len() * if is_narrow { size_of::<u8>() } else { size_of::<u16>() };
        let room = Room::of(bytes)?;
        let width = if is_narrow {
            let narrow = |place: &u16| u8::try_from(*place).unwrap_or(u8::MAX);
            Width::Narrow(self.places.iter().map(narrow).collect())
        } else {
            Width::Wide(self.places.into())
        };
        Some(KeptPlaces { width, _room: room })
    }
}

/// The places of a block.
#[derive(Debug)]
pub(super) struct KeptPlaces {
    width: Width,
    _room: Room,
}

/// Places of one byte where all lines are short, else of two; the largest of its kind where the pattern is not in the line.
#[derive(Debug)]
enum Width {
    Narrow(Box<[u8]>),
    Wide(Box<[u16]>),
}

impl KeptPlaces {
    /// Where the text of a column of so many begins and ends in a line, by the line's place among those that were noted; `None` where
    /// the pattern is not in it.
    pub(super) fn place(&self, line: usize, columns: usize, column: usize) -> Option<(usize, usize)> {
        let at = (line * columns + column) * 2;
        let (start, end, none) = match &self.width {
            Width::Narrow(places) => {
                let [start, end] = *places.get(at..)?.first_chunk()?;
                (usize::from(start), usize::from(end), usize::from(u8::MAX))
            }
            Width::Wide(places) => {
                let [start, end] = *places.get(at..)?.first_chunk()?;
                (usize::from(start), usize::from(end), usize::from(u16::MAX))
            }
        };
        (start != none).then_some((start, end))
    }
}

/// Bytes of [`MOST_BYTES`], given back when they are dropped.
#[derive(Debug)]
struct Room(usize);

impl Room {
    fn of(bytes: usize) -> Option<Self> {
        let less = |left: usize| left.checked_sub(bytes);
        LEFT.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less).ok().map(|_| Self(bytes))
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        LEFT.fetch_add(self.0, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The places of a line's two columns.
    type Line = [Option<(usize, usize)>; 2];

    /// The places of lines of this length, after they were kept.
    fn kept(length: usize, lines: &[Option<[(usize, usize); 2]>]) -> Option<Vec<Line>> {
        let mut places = Places::new(1000);
        for line in lines {
            let columns = line.map_or([None; 2], |columns| columns.map(Some));
            places.add(length, columns.into_iter());
        }
        let kept = places.keep()?;
        Some((0..lines.len()).map(|line| [0, 1].map(|column| kept.place(line, 2, column))).collect())
    }

    #[test]
    fn places_are_kept_as_they_were_found_in_lines_of_any_length() {
        for far in [3, 254, 255, 256, 65_534] {
            let found = kept(far, &[Some([(0, 2), (2, far)]), None, Some([(far, far), (0, 0)])]);
            let expected =
                vec![[Some((0, 2)), Some((2, far))], [None, None], [Some((far, far)), Some((0, 0))]];
            assert_eq!(found, Some(expected), "{far}");
        }
    }

    #[test]
    fn a_line_too_long_and_too_many_places_for_the_block_are_not_kept() {
        assert_eq!(kept(65_535, &[Some([(0, 2), (2, 65_535)])]), None);
        let mut places = Places::new(15);
        (0..2).for_each(|_| places.add(5, [Some((0, 1)), Some((1, 2))].into_iter()));
        assert!(places.keep().is_none());
    }

    #[test]
    fn room_that_is_taken_is_given_back() {
        let room = Room::of(MOST_BYTES / 2).expect("room");
        assert!(Room::of(MOST_BYTES).is_none());
        drop(room);
        // Other tests keep places meanwhile, but few.
        assert!(Room::of(MOST_BYTES - 1000).is_some() || Room::of(MOST_BYTES / 2).is_some());
    }
}
