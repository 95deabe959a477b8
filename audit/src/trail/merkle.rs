//! The tree hash of RFC 6962 section 2.1, leaf by leaf: memory grows with the tree's height, not with its leaves.

use sha2::{Digest, Sha256};

/// A SHA-256 digest.
pub type Hash = [u8; 32];

/// Hash of a leaf: SHA-256 over 0x00 and the data.
pub fn leaf_hash(data: &[u8]) -> Hash {
    let mut hasher = Sha256::new();
    hasher.update([0x00]);
    hasher.update(data);
    hasher.finalize().into()
}

/// Hash of an inner node: SHA-256 over 0x01, the left and the right subtree. The other first byte keeps a node from passing as a leaf.
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    let mut hasher = Sha256::new();
    hasher.update([0x01]);
    hasher.update(left);
    hasher.update(right);
    hasher.finalize().into()
}

/// A complete subtree: the one with this index among those of two to the power of `level` leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Node {
    /// Height over the leaves.
    pub level: u32,
    /// Place among the nodes of its level.
    pub index: u64,
}

/// The complete subtrees that make up the tree over some leaves, largest first. `from` is a multiple of the first one's size.
pub fn subtrees(leaves: std::ops::Range<u64>) -> Vec<Node> {
    let mut nodes = Vec::new();
    let mut from = leaves.start;
    while from < leaves.end {
        let level = (leaves.end - from).ilog2();
        nodes.push(Node {
            level,
            index: from >> level,
        });
        from += 1 << level;
    }
    nodes
}

/// Root of a tree from the roots of its complete subtrees, largest first; of none it is the hash of the empty text.
pub fn fold(subtrees: &[Hash]) -> Hash {
    match subtrees.split_last() {
        None => Sha256::digest([]).into(),
        Some((last, rest)) => rest
            .iter()
            .rev()
            .fold(*last, |right, left| node_hash(left, &right)),
    }
}

/// Builds the root from leaf hashes in their order.
#[derive(Debug, Clone, Default)]
pub struct TreeHasher {
    /// Roots of the complete subtrees so far, largest first: one for each bit set in `leaves`.
    subtrees: Vec<Hash>,
    leaves: u64,
}

impl TreeHasher {
    /// An empty tree.
    pub fn new() -> Self {
        Self::default()
    }

    /// A tree of so many leaves that goes on from the roots of its complete subtrees, largest first.
    pub fn resume(leaves: u64, subtrees: Vec<Hash>) -> Option<Self> {
        (u32::try_from(subtrees.len()) == Ok(leaves.count_ones())).then_some(Self { subtrees, leaves })
    }

    /// Appends a leaf.
    pub fn push(&mut self, leaf: Hash) {
        self.push_told(leaf, |_, _| {});
    }

    /// Appends a leaf and tells of every complete subtree this makes: where it stands, and its root.
    pub fn push_told(&mut self, leaf: Hash, mut told: impl FnMut(Node, Hash)) {
        let mut node = leaf;
        told(
            Node {
                level: 0,
                index: self.leaves,
            },
            node,
        );
        // Each trailing one bit of the count is a complete subtree as large as the node at hand.
        for level in 1..=self.leaves.trailing_ones() {
            if let Some(left) = self.subtrees.pop() {
                node = node_hash(&left, &node);
                let index = self.leaves >> level;
                told(Node { level, index }, node);
            }
        }
        self.subtrees.push(node);
        self.leaves += 1;
    }

    /// Number of leaves so far.
    pub fn leaves(&self) -> u64 {
        self.leaves
    }

    /// Root over the leaves so far; of none it is the hash of the empty text.
    pub fn root(&self) -> Hash {
        fold(&self.subtrees)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The definition in the RFC, word by word: split at the largest power of two below the number of leaves.
    pub(in crate::trail) fn by_definition(leaves: &[Hash]) -> Hash {
        match leaves {
            [] => Sha256::digest([]).into(),
            [leaf] => *leaf,
            _ => {
                let split = leaves.len().next_power_of_two() / 2;
                node_hash(&by_definition(&leaves[..split]), &by_definition(&leaves[split..]))
            }
        }
    }

    fn root(leaves: &[Hash]) -> Hash {
        let mut tree = TreeHasher::new();
        for leaf in leaves {
            tree.push(*leaf);
        }
        tree.root()
    }

    #[test]
    fn reference_values() {
        assert_eq!(
            hex::encode(TreeHasher::new().root()),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        );
        assert_eq!(
            hex::encode(leaf_hash(b"")),
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
        );
        // The eight leaves and roots that implementations of Certificate Transparency share as test data.
        let data = [
            "",
            "00",
            "10",
            "2021",
            "3031",
            "40414243",
            "5051525354555657",
            "606162636465666768696a6b6c6d6e6f",
        ];
        let roots = [
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
            "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
            "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
            "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
            "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
            "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
            "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
        ];
        let mut tree = TreeHasher::new();
        for (text, expected) in data.iter().zip(roots) {
            tree.push(leaf_hash(&hex::decode(text).unwrap_or_default()));
            assert_eq!(hex::encode(tree.root()), expected);
        }
        assert_eq!(tree.leaves(), 8);
    }

    #[test]
    fn memory_is_the_height() {
        let mut tree = TreeHasher::new();
        for number in 0..100_000_u32 {
            tree.push(leaf_hash(&number.to_be_bytes()));
            assert_eq!(
                u64::try_from(tree.subtrees.len()).ok(),
                Some(u64::from(tree.leaves().count_ones()))
            );
        }
    }

    #[test]
    fn a_tree_goes_on_from_its_complete_subtrees() {
        let leaves: Vec<Hash> = (0..300_u32)
            .map(|number| leaf_hash(&number.to_be_bytes()))
            .collect();
        let mut nodes = std::collections::HashMap::new();
        let mut whole = TreeHasher::new();
        for (size, leaf) in (1_u64..).zip(&leaves) {
            whole.push_told(*leaf, |node, hash| {
                assert_eq!(nodes.insert(node, hash), None, "every node is made once");
            });
            let edge: Vec<Hash> = subtrees(0..size).iter().map(|node| nodes[node]).collect();
            let resumed = TreeHasher::resume(size, edge).unwrap();
            assert_eq!(resumed.root(), whole.root());
        }
        assert!(TreeHasher::resume(3, vec![leaves[0]]).is_none());
    }

    proptest! {
        #[test]
        fn streaming_equals_the_definition(count in 0_usize..300) {
            let leaves: Vec<Hash> = (0..count).map(|number| leaf_hash(&number.to_be_bytes())).collect();
            prop_assert_eq!(root(&leaves), by_definition(&leaves));
        }
    }
}
