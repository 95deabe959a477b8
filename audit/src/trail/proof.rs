//! Proofs of RFC 6962 sections 2.1.1 and 2.1.2: which subtrees a proof consists of, and whether a proof holds. Pure.

use std::ops::Range;

use super::merkle::{Hash, node_hash};

/// Largest power of two below `count`, which is at least 2.
const fn split(count: u64) -> u64 {
    1 << (count - 1).ilog2()
}

/// The subtrees, as ranges of leaves, whose roots prove that the leaf `index` is in the tree of `size` leaves; from the leaf
/// upwards. None where there is no such leaf.
pub fn inclusion(index: u64, size: u64) -> Option<Vec<Range<u64>>> {
    if index >= size {
        return None;
    }
    let (mut from, mut to) = (0, size);
    let mut path = Vec::new();
    while to - from > 1 {
        let middle = from + split(to - from);
        if index < middle {
            path.push(middle..to);
            to = middle;
        } else {
            path.push(from..middle);
            from = middle;
        }
    }
    path.reverse();
    Some(path)
}

/// The subtrees whose roots prove that the tree of `old` leaves is the beginning of the tree of `new` leaves. Nothing is to be
/// proven for equal sizes or from the empty tree. None where `old` is the larger one.
pub fn consistency(old: u64, new: u64) -> Option<Vec<Range<u64>>> {
    if old > new {
        return None;
    }
    let mut path = Vec::new();
    if old == 0 || old == new {
        return Some(path);
    }
    let (mut from, mut to) = (0, new);
    // The old tree ends within the range, and its root is known as long as the range starts with the tree.
    while to != old {
        let middle = from + split(to - from);
        if old <= middle {
            path.push(middle..to);
            to = middle;
        } else {
            path.push(from..middle);
            from = middle;
        }
    }
    if from > 0 {
        path.push(from..to);
    }
    path.reverse();
    Some(path)
}

/// The root that follows from a leaf's hash, its place and its path. None where the path has not the length that a tree of this
/// size gives it.
pub fn root_by_inclusion(leaf: &Hash, index: u64, size: u64, path: &[Hash]) -> Option<Hash> {
    let subtrees = inclusion(index, size)?;
    if subtrees.len() != path.len() {
        return None;
    }
    Some(subtrees.iter().zip(path).fold(*leaf, |node, (subtree, hash)| {
        if subtree.start > index {
            node_hash(&node, hash)
        } else {
            node_hash(hash, &node)
        }
    }))
}

/// Whether the tree of `old` leaves is the beginning of the tree of `new` leaves, by RFC 9162 section 2.1.4.2.
pub fn is_consistent(old: u64, new: u64, old_root: &Hash, new_root: &Hash, path: &[Hash]) -> bool {
    if old == new || old == 0 {
        return path.is_empty() && (old != new || old_root == new_root);
    }
    if old > new {
        return false;
    }
    // A complete old tree is itself the first subtree of the proof.
    let (first, rest) = if old.is_power_of_two() {
        (old_root, path)
    } else {
        match path.split_first() {
            Some(parts) => parts,
            None => return false,
        }
    };
    let (mut old_place, mut new_place) = (old - 1, new - 1);
    while old_place & 1 == 1 {
        old_place >>= 1;
        new_place >>= 1;
    }
    let (mut old_node, mut new_node) = (*first, *first);
    for hash in rest {
        if new_place == 0 {
            return false;
        }
        if old_place & 1 == 1 || old_place == new_place {
            old_node = node_hash(hash, &old_node);
            new_node = node_hash(hash, &new_node);
            while old_place & 1 == 0 && old_place != 0 {
                old_place >>= 1;
                new_place >>= 1;
            }
        } else {
            new_node = node_hash(&new_node, hash);
        }
        old_place >>= 1;
        new_place >>= 1;
    }
    new_place == 0 && old_node == *old_root && new_node == *new_root
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;
    use crate::trail::merkle::tests::by_definition;
    use crate::trail::merkle::{Node, TreeHasher, fold, leaf_hash, subtrees};

    /// PATH(m, D[n]) of RFC 6962 section 2.1.1, word by word.
    fn path(index: usize, leaves: &[Hash]) -> Vec<Hash> {
        if leaves.len() == 1 {
            return Vec::new();
        }
        let (left, right) = leaves.split_at(leaves.len().next_power_of_two() / 2);
        let (mut below, sibling) = if index < left.len() {
            (path(index, left), right)
        } else {
            (path(index - left.len(), right), left)
        };
        below.push(by_definition(sibling));
        below
    }

    /// SUBPROOF(m, D[n], b) of RFC 6962 section 2.1.2, word by word.
    fn subproof(old: usize, leaves: &[Hash], known: bool) -> Vec<Hash> {
        if old == leaves.len() {
            return if known {
                Vec::new()
            } else {
                vec![by_definition(leaves)]
            };
        }
        let (left, right) = leaves.split_at(leaves.len().next_power_of_two() / 2);
        let (mut below, other) = if old <= left.len() {
            (subproof(old, left, known), right)
        } else {
            (subproof(old - left.len(), right, false), left)
        };
        below.push(by_definition(other));
        below
    }

    fn leaves(count: u32) -> Vec<Hash> {
        (0..count)
            .map(|number| leaf_hash(&number.to_be_bytes()))
            .collect()
    }

    /// Every complete subtree, and the root at every size.
    fn stored(leaves: &[Hash]) -> (HashMap<Node, Hash>, Vec<Hash>) {
        let (mut nodes, mut tree) = (HashMap::new(), TreeHasher::new());
        let mut roots = vec![tree.root()];
        for leaf in leaves {
            tree.push_told(*leaf, |node, hash| {
                nodes.insert(node, hash);
            });
            roots.push(tree.root());
        }
        (nodes, roots)
    }

    fn hashes(ranges: &[Range<u64>], nodes: &HashMap<Node, Hash>) -> Vec<Hash> {
        let root = |range: &Range<u64>| {
            let parts: Vec<Hash> = subtrees(range.clone()).iter().map(|node| nodes[node]).collect();
            fold(&parts)
        };
        ranges.iter().map(root).collect()
    }

    fn spoilt(path: &[Hash], place: usize) -> Vec<Hash> {
        let mut path = path.to_vec();
        path[place][31] ^= 1;
        path
    }

    const SIZES: u32 = 300;

    #[test]
    fn every_leaf_of_every_tree_is_proven_and_nothing_else() {
        let all = leaves(SIZES);
        let (nodes, roots) = stored(&all);
        for size in 1..=SIZES {
            let tree = &all[..size as usize];
            let root = roots[size as usize];
            for index in 0..size {
                let (place, count) = (u64::from(index), u64::from(size));
                let ranges = inclusion(place, count).unwrap();
                let proof = hashes(&ranges, &nodes);
                if size <= 64 {
                    assert_eq!(proof, path(index as usize, tree), "{index} of {size}");
                }
                let leaf = &tree[index as usize];
                assert_eq!(root_by_inclusion(leaf, place, count, &proof), Some(root));
                // One bit of one hash, another place, another leaf, a hash too many or too few.
                if !proof.is_empty() {
                    let wrong = spoilt(&proof, (index as usize) % proof.len());
                    assert_ne!(root_by_inclusion(leaf, place, count, &wrong), Some(root));
                    assert_eq!(root_by_inclusion(leaf, place, count, &proof[1..]), None);
                    let other = (place + 1) % count;
                    assert_ne!(root_by_inclusion(leaf, other, count, &proof), Some(root));
                    assert_ne!(root_by_inclusion(&root, place, count, &proof), Some(root));
                }
                let longer = [proof.as_slice(), &[root]].concat();
                assert_eq!(root_by_inclusion(leaf, place, count, &longer), None);
            }
            assert_eq!(inclusion(u64::from(size), u64::from(size)), None);
        }
        assert_eq!(inclusion(0, 0), None);
    }

    #[test]
    fn every_pair_of_trees_is_consistent_and_no_fork_is() {
        let all = leaves(SIZES);
        let mut forked = all.clone();
        forked[0][0] ^= 1;
        let ((nodes, roots), (_, forks)) = (stored(&all), stored(&forked));
        for new in 0..=SIZES {
            let fork = forks[new as usize];
            for old in 0..=new {
                let (from, to) = (u64::from(old), u64::from(new));
                let (old_root, new_root) = (&roots[old as usize], &roots[new as usize]);
                let proof = hashes(&consistency(from, to).unwrap(), &nodes);
                if old > 0 && new <= 64 {
                    assert_eq!(
                        proof,
                        subproof(old as usize, &all[..new as usize], true),
                        "{old} of {new}"
                    );
                }
                assert!(
                    is_consistent(from, to, old_root, new_root, &proof),
                    "{old} of {new}"
                );
                let longer = [proof.as_slice(), &[*new_root]].concat();
                assert!(!is_consistent(from, to, old_root, new_root, &longer));
                if old == 0 {
                    continue;
                }
                assert!(!is_consistent(from, to, old_root, &fork, &proof));
                assert!(!is_consistent(from, to, &fork, new_root, &proof));
                if old < new {
                    assert!(!is_consistent(to, from, new_root, old_root, &proof));
                    assert_eq!(consistency(to, from), None);
                }
                if !proof.is_empty() {
                    let wrong = spoilt(&proof, (old as usize) % proof.len());
                    assert!(!is_consistent(from, to, old_root, new_root, &wrong));
                    assert!(!is_consistent(from, to, old_root, new_root, &proof[1..]));
                }
            }
        }
    }

    /// The proofs over the eight leaves that implementations of Certificate Transparency share, as transparency-dev
    /// publishes them, and what it publishes beside them: the same tampered with in one way each.
    #[test]
    fn published_proofs_hold_and_tampered_ones_do_not() {
        let data = "|00|10|2021|3031|40414243|5051525354555657|606162636465666768696a6b6c6d6e6f";
        let leaves: Vec<Hash> = data
            .split('|')
            .map(|text| leaf_hash(&hex::decode(text).unwrap()))
            .collect();
        let root = |size: u64| by_definition(&leaves[..usize::try_from(size).unwrap()]);
        for (index, size, path) in [
            (0, 1, ""),
            (0, 8, "96a296d2 5f083f0a 6b47aaf2"),
            (5, 8, "bc1a0643 ca854ea1 d37ee418"),
            (2, 3, "fac54203"),
            (1, 5, "6e340b9c 5f083f0a bc1a0643"),
        ] {
            let (nodes, _) = stored(&leaves);
            let proof = hashes(&inclusion(index, size).unwrap(), &nodes);
            assert_eq!(starts(&proof), path, "{index} of {size}");
            let leaf = &leaves[usize::try_from(index).unwrap()];
            let holds = |leaf: &Hash, index: u64, size: u64, proof: &[Hash]| {
                root_by_inclusion(leaf, index, size, proof) == Some(root(size.clamp(1, 8)))
            };
            assert!(holds(leaf, index, size, &proof));
            for (index, size) in [
                (index + 1, size),
                (index ^ 2, size),
                (index, size * 2),
                (index, size / 2),
            ] {
                assert!(
                    !holds(leaf, index, size, &proof) || size == 1,
                    "{index} of {size}"
                );
            }
            assert!(!holds(&root(8), index, size, &proof) || size == 8 && proof.is_empty());
            for tampered in tampered(&proof, &root(size)) {
                assert!(!holds(leaf, index, size, &tampered), "{index} of {size}");
            }
        }
        for (old, new, path) in [
            (1, 1, ""),
            (1, 8, "96a296d2 5f083f0a 6b47aaf2"),
            (6, 8, "0ebc5d34 ca854ea1 d37ee418"),
            (2, 5, "5f083f0a bc1a0643"),
            (6, 7, "0ebc5d34 b08693ec d37ee418"),
        ] {
            let (nodes, _) = stored(&leaves);
            let proof = hashes(&consistency(old, new).unwrap(), &nodes);
            assert_eq!(starts(&proof), path, "{old} to {new}");
            let (before, after) = (root(old), root(new));
            assert!(is_consistent(old, new, &before, &after, &proof));
            for (from, to) in [
                (old - 1, new),
                (old + 1, new),
                (old ^ 2, new),
                (old, new * 2),
                (old, new / 2),
            ] {
                assert!(
                    !is_consistent(from, to, &before, &after, &proof) || from == 0 && proof.is_empty(),
                    "{from} to {to}"
                );
            }
            if old < new {
                assert!(!is_consistent(old, new, &after, &before, &proof));
                assert!(!is_consistent(old, new, &before, &leaf_hash(b"wrong"), &proof));
                assert!(!is_consistent(old, new, &leaf_hash(b"wrong"), &after, &proof));
                assert!(!is_consistent(old, new, &before, &after, &[]));
            }
            for tampered in tampered(&proof, &before)
                .into_iter()
                .chain(tampered(&proof, &after))
            {
                assert!(
                    !is_consistent(old, new, &before, &after, &tampered),
                    "{old} to {new}"
                );
            }
        }
    }

    /// The first four bytes of each hash.
    fn starts(proof: &[Hash]) -> String {
        let starts: Vec<String> = proof.iter().map(|hash| hex::encode(&hash[..4])).collect();
        starts.join(" ")
    }

    /// One bit of each hash changed; a root, nothing or garbage before and after; a hash taken away or put between.
    fn tampered(proof: &[Hash], root: &Hash) -> Vec<Vec<Hash>> {
        let mut all: Vec<Vec<Hash>> = (0..proof.len())
            .flat_map(|place| {
                let mut changed = proof.to_vec();
                changed[place][0] ^= 1 << 4;
                let mut less = proof.to_vec();
                less.remove(place);
                let mut more = proof.to_vec();
                more.insert(place, proof[place]);
                [changed, less, more]
            })
            .collect();
        for extra in [*root, leaf_hash(b"garbage"), [0; 32]] {
            all.push([&[extra], proof].concat());
            all.push([proof, &[extra]].concat());
        }
        all
    }

    /// The proofs that RFC 6962 section 2.1.3 works out for a tree of seven leaves.
    #[test]
    fn the_example_of_the_rfc() {
        // PATH(0) = [b, h, l], PATH(3) = [c, g, l], PATH(4) = [f, j, k], PATH(6) = [i, k].
        for (index, expected) in [
            (0, "[1..2, 2..4, 4..7]"),
            (3, "[2..3, 0..2, 4..7]"),
            (4, "[5..6, 6..7, 0..4]"),
            (6, "[4..6, 0..4]"),
        ] {
            assert_eq!(format!("{:?}", inclusion(index, 7).unwrap()), expected);
        }
        // PROOF(3) = [c, d, g, l], PROOF(4) = [l], PROOF(6) = [i, j, k].
        for (old, expected) in [
            (3, "[2..3, 3..4, 0..2, 4..7]"),
            (4, "[4..7]"),
            (6, "[4..6, 6..7, 0..4]"),
        ] {
            assert_eq!(format!("{:?}", consistency(old, 7).unwrap()), expected);
        }
    }

    #[test]
    fn subtrees_of_proofs_are_stored_nodes() {
        for (range, expected) in [
            (0..7, vec![(2, 0), (1, 2), (0, 6)]),
            (4..7, vec![(1, 2), (0, 6)]),
            (4..8, vec![(2, 1)]),
            (6..7, vec![(0, 6)]),
            (0..0, vec![]),
        ] {
            let found: Vec<_> = subtrees(range)
                .into_iter()
                .map(|node| (node.level, node.index))
                .collect();
            assert_eq!(found, expected);
        }
    }
}
