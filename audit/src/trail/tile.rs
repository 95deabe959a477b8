//! Tiles: the tree in files of up to 256 hashes, named as C2SP `tlog-tiles` says. Pure.

use super::merkle::Node;

/// Hashes of a full tile.
pub const WIDTH: u64 = 256;

/// Levels of the tree between one level of tiles and the next.
const HEIGHT: u32 = 8;

/// Most levels of tiles that a tree of 64-bit size has.
const LEVELS: u32 = 8;

/// A tile, or a bundle of entries, which has the place of a tile at level 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tile {
    /// Its level.
    pub level: u32,
    /// Its place within the level.
    pub index: u64,
    /// Its hashes: 256 in a full tile.
    pub width: u64,
}

impl Tile {
    /// The tile of a path such as `0/x001/x234/067` or `1/000.p/17`. One tile has one path.
    pub fn parse(path: &str) -> Option<Self> {
        let (level, place) = path.split_once('/')?;
        let level = u32::try_from(canonical(level)?).ok()?;
        let tile = Self::place(level, place)?;
        // Levels above hold nothing in a tree of any size.
        (level < LEVELS && tile.path() == path).then_some(tile)
    }

    /// The bundle of entries at a place such as `x001/x234/067` or `000.p/17`.
    pub fn parse_entries(place: &str) -> Option<Self> {
        let tile = Self::place(0, place)?;
        (tile.place_path() == place).then_some(tile)
    }

    fn place(level: u32, place: &str) -> Option<Self> {
        let (number, width) = match place.split_once(".p/") {
            Some((number, width)) => (
                number,
                canonical(width).filter(|width| (1..WIDTH).contains(width))?,
            ),
            None => (place, WIDTH),
        };
        let mut index = 0_u64;
        for part in number.split('/') {
            let digits = part.strip_prefix('x').unwrap_or(part);
            if digits.len() != 3 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
                return None;
            }
            index = index.checked_mul(1000)?.checked_add(digits.parse().ok()?)?;
        }
        Some(Self { level, index, width })
    }

    /// Its path after `tile/`.
    pub fn path(&self) -> String {
        format!("{}/{}", self.level, self.place_path())
    }

    fn place_path(&self) -> String {
        let mut path = format!("{:03}", self.index % 1000);
        let mut rest = self.index / 1000;
        while rest > 0 {
            path = format!("x{:03}/{path}", rest % 1000);
            rest /= 1000;
        }
        if self.is_full() {
            path
        } else {
            format!("{path}.p/{}", self.width)
        }
    }

    /// Whether it has all its hashes and never changes.
    pub const fn is_full(&self) -> bool {
        self.width == WIDTH
    }

    /// The first node it holds; the others follow at the same level. None where no tree reaches so far.
    pub fn first(&self) -> Option<Node> {
        let level = self.level.checked_mul(HEIGHT).filter(|level| *level < 64)?;
        let index = self.index.checked_mul(WIDTH)?;
        Some(Node { level, index })
    }
}

/// A number without leading zeros and signs.
fn canonical(text: &str) -> Option<u64> {
    let number = text.parse::<u64>().ok()?;
    (number.to_string() == text).then_some(number)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn paths_are_those_of_the_specification() {
        let tile = Tile::parse("0/x001/x234/067").unwrap();
        assert_eq!((tile.level, tile.index, tile.width), (0, 1_234_067, 256));
        assert_eq!(tile.path(), "0/x001/x234/067");
        let partial = Tile::parse("1/000.p/17").unwrap();
        assert_eq!((partial.level, partial.index, partial.width), (1, 0, 17));
        assert!(!partial.is_full());
        let bundle = Tile::parse_entries("x001/000.p/3").unwrap();
        assert_eq!((bundle.level, bundle.index, bundle.width), (0, 1000, 3));
        for wrong in [
            "",
            "0",
            "0/",
            "0/0",
            "0/00",
            "0/0000",
            "00/000",
            "+0/000",
            "-1/000",
            "8/000",
            "64/000",
            "0/x000/001",
            "0/x001",
            "0/001/002",
            "0/000.p/0",
            "0/000.p/256",
            "0/000.p/01",
            "0/000.p/",
            "0/000.p",
            "0/000/",
            "0/0a0",
            "0/x999/x999/x999/x999/x999/x999/x999/999",
            "entries/000",
        ] {
            assert_eq!(Tile::parse(wrong), None, "{wrong}");
        }
    }

    /// The specification's example: a tree of 70,000 leaves.
    #[test]
    fn a_tree_has_the_tiles_of_the_specification() {
        let has = |path: &str| {
            let tile = Tile::parse(path).unwrap();
            let first = tile.first().unwrap();
            first.index + tile.width <= 70_000 >> first.level
        };
        for path in [
            "0/000",
            "0/272",
            "0/273.p/112",
            "1/000",
            "1/001.p/17",
            "2/000.p/1",
        ] {
            assert!(has(path), "{path}");
        }
        for path in [
            "0/273",
            "0/273.p/113",
            "1/001",
            "1/001.p/18",
            "2/000.p/2",
            "3/000.p/1",
        ] {
            assert!(!has(path), "{path}");
        }
    }

    proptest! {
        #[test]
        fn a_path_names_one_tile(level in 0_u32..8, index in 0_u64..=u64::MAX / 256, width in 1_u64..=256) {
            let tile = Tile { level, index, width };
            prop_assert_eq!(Tile::parse(&tile.path()), Some(tile));
        }
    }
}
