use std::collections::BTreeMap;
use std::string::ToString;
use std::vec;
use std::vec::Vec;

use alloy_primitives::{B256, b256, keccak256};
use alloy_trie::{EMPTY_ROOT_HASH, HashBuilder, Nibbles};

use super::{NodeFault, Nodes, Trie, TrieError};

type Map = BTreeMap<B256, Vec<u8>>;

impl Nodes for Map {
    fn node(&self, hash: &B256) -> Option<&[u8]> {
        self.get(hash).map(Vec::as_slice)
    }
}

/// SplitMix64, so that a failure can be repeated from its seed.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ z >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ z >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ z >> 31
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    /// A key whose nibbles are often those of others, so that paths share and split.
    fn key(&mut self) -> [u8; 32] {
        let mut key = [0; 32];
        for byte in &mut key {
            *byte = if self.below(4) == 0 {
                self.below(4) as u8 * 0x10
            } else {
                0
            };
        }
        key
    }

    fn value(&mut self) -> Vec<u8> {
        // Short ones make nodes that are part of their parent's encoding.
        let len = [1, 3, 33, 60][self.below(4) as usize];
        (0..len).map(|_| self.next() as u8 | 1).collect()
    }
}

/// The root by another implementation.
fn oracle(entries: &BTreeMap<[u8; 32], Vec<u8>>) -> B256 {
    let mut builder = HashBuilder::default();
    for (key, value) in entries {
        builder.add_leaf(Nibbles::unpack(key), value);
    }
    builder.root()
}

fn build(entries: &BTreeMap<[u8; 32], Vec<u8>>) -> (B256, Map) {
    static NONE: Map = Map::new();
    let mut trie = Trie::empty();
    for (key, value) in entries {
        trie.insert(key, value.clone(), &NONE).unwrap();
    }
    let mut nodes = Map::new();
    trie.for_each_node(|hash, encoding| {
        let _ = nodes.insert(hash, encoding);
    });
    (trie.root(), nodes)
}

#[test]
fn empty_trie_has_the_empty_root() {
    static NONE: Map = Map::new();
    assert_eq!(Trie::empty().root(), EMPTY_ROOT_HASH);
    let mut trie = Trie::new(EMPTY_ROOT_HASH);
    assert_eq!(trie.get(b"key", &NONE), Ok(None));
    assert_eq!(trie.remove(b"key", &NONE), Ok(false));
    trie.insert(b"key", vec![1], &NONE).unwrap();
    assert_eq!(trie.remove(b"key", &NONE), Ok(true));
    assert_eq!(trie.root(), EMPTY_ROOT_HASH);
}

#[test]
fn random_updates_agree_with_a_map_and_with_another_implementation() {
    for seed in 0..60 {
        std::eprintln!("seed {seed}");
        let mut random = Random(seed);
        let mut entries = BTreeMap::new();
        for _ in 0..random.below(60) {
            let _ = entries.insert(random.key(), random.value());
        }
        let (root, nodes) = build(&entries);
        assert_eq!(root, oracle(&entries), "seed {seed}");

        let mut trie = Trie::new(root);
        for _ in 0..80 {
            let known = entries.keys().nth(random.below(60) as usize).copied();
            let key = known.unwrap_or_else(|| random.key());
            assert_eq!(
                trie.get(&key, &nodes).unwrap(),
                entries.get(&key).map(Vec::as_slice)
            );
            if random.below(2) == 0 {
                let value = random.value();
                trie.insert(&key, value.clone(), &nodes).unwrap();
                let _ = entries.insert(key, value);
            } else {
                let was_here = trie.remove(&key, &nodes).unwrap();
                assert_eq!(was_here, entries.remove(&key).is_some(), "seed {seed}");
            }
            if random.below(8) == 0 {
                assert_eq!(trie.root(), oracle(&entries), "seed {seed}");
            }
        }
        assert_eq!(trie.root(), oracle(&entries), "seed {seed}");
    }
}

#[test]
fn every_node_that_an_update_reads_is_needed() {
    use core::cell::RefCell;
    use std::collections::BTreeSet;

    struct Recorder<'a>(&'a Map, RefCell<BTreeSet<B256>>);
    impl Nodes for Recorder<'_> {
        fn node(&self, hash: &B256) -> Option<&[u8]> {
            let _ = self.1.borrow_mut().insert(*hash);
            self.0.node(hash)
        }
    }
    let mut random = Random(7);
    let mut entries = BTreeMap::new();
    for _ in 0..40 {
        let _ = entries.insert(random.key(), random.value());
    }
    let (root, nodes) = build(&entries);
    let (&removed, _) = entries.iter().nth(11).unwrap();
    let added = random.key();
    fn update<'w>(
        root: B256,
        added: [u8; 32],
        removed: [u8; 32],
        nodes: &'w impl Nodes,
    ) -> Result<B256, TrieError> {
        let mut trie: Trie<'w> = Trie::new(root);
        trie.insert(&added, vec![9; 40], nodes)?;
        let _ = trie.remove(&removed, nodes)?;
        Ok(trie.root())
    }
    let recorder = Recorder(&nodes, RefCell::default());
    let expected = update(root, added, removed, &recorder).unwrap();
    let used = recorder.1.into_inner();
    assert!(used.len() > 3 && used.len() < nodes.len());
    let few: Map = nodes
        .iter()
        .filter(|(hash, _)| used.contains(*hash))
        .map(|(h, n)| (*h, n.clone()))
        .collect();
    assert_eq!(update(root, added, removed, &few), Ok(expected));
    for hash in used {
        let mut fewer = few.clone();
        let _ = fewer.remove(&hash);
        assert_eq!(
            update(root, added, removed, &fewer),
            Err(TrieError::Missing { hash })
        );
    }
}

#[test]
fn untouched_trie_needs_no_node() {
    let root = B256::repeat_byte(7);
    let none = Map::new();
    let mut trie = Trie::new(root);
    assert_eq!(trie.root(), root);
    assert_eq!(
        trie.get(b"key", &none),
        Err(TrieError::Missing { hash: root })
    );
    assert_eq!(
        trie.get(b"key", &none).unwrap_err().to_string(),
        "trie node 0x0707070707070707070707070707070707070707070707070707070707070707 is missing"
    );
}

#[test]
fn keys_may_be_prefixes_of_others() {
    // From ethereum/tests, TrieTests: "puppy".
    let none = Map::new();
    let mut trie = Trie::empty();
    for (key, value) in [
        ("do", "verb"),
        ("horse", "stallion"),
        ("doge", "coin"),
        ("dog", "puppy"),
    ] {
        trie.insert(key.as_bytes(), value.into(), &none).unwrap();
    }
    let root = b256!("5991bb8c6514148a29db676a14ac506cd2cd5775ace63c30a4fe457715e9ac84");
    assert_eq!(trie.root(), root);
    assert_eq!(trie.get(b"dog", &none).unwrap(), Some(b"puppy".as_slice()));
    assert_eq!(trie.get(b"d", &none), Ok(None));
    trie.insert(b"d", vec![1], &none).unwrap();
    trie.insert(b"dogs", vec![2], &none).unwrap();
    assert_eq!(trie.remove(b"d", &none), Ok(true));
    assert_eq!(trie.remove(b"dogs", &none), Ok(true));
    assert_eq!(trie.root(), root);
}

#[test]
fn bad_keys_and_values_are_refused() {
    let none = Map::new();
    let mut trie = Trie::empty();
    assert_eq!(trie.get(&[0; 33], &none), Err(TrieError::Key { len: 33 }));
    assert_eq!(
        trie.insert(&[0; 33], vec![1], &none),
        Err(TrieError::Key { len: 33 })
    );
    assert_eq!(
        trie.insert(b"key", vec![], &none),
        Err(TrieError::EmptyValue)
    );
}

/// The list of these items, each already encoded.
fn list(items: &[&[u8]]) -> Vec<u8> {
    let payload = items.concat();
    let mut out = Vec::new();
    alloy_rlp::Header {
        list: true,
        payload_length: payload.len(),
    }
    .encode(&mut out);
    out.extend(payload);
    out
}

#[test]
fn nodes_that_no_trie_has_are_refused() {
    let hash: Vec<u8> = alloy_rlp::encode(B256::repeat_byte(1));
    let short_hash = alloy_rlp::encode([1u8; 31].as_slice());
    let none = &[0x80][..];
    let long_list = list(&[&[0x20], &alloy_rlp::encode([1u8; 40].as_slice())]);
    let leaf = list(&[&[0x20], &[1]]);
    let mut lone = [none; 17];
    lone[3] = &hash;
    let mut two = lone;
    two[4] = &hash;
    let mut bad_child = two;
    bad_child[5] = &short_hash;
    let mut long_child = two;
    long_child[5] = &long_list;
    let mut list_value = two;
    list_value[16] = &leaf;
    let long_path = alloy_rlp::encode([&[0x11][..], &[0; 32]].concat().as_slice());
    let longer_path = alloy_rlp::encode([&[0x00][..], &[0; 33]].concat().as_slice());
    let cases: Vec<(Vec<u8>, NodeFault)> = vec![
        (vec![], NodeFault::Encoding),
        (vec![0x83, 1, 2, 3], NodeFault::Encoding),
        (vec![0xc1], NodeFault::Encoding),
        ([list(&two), vec![0]].concat(), NodeFault::Encoding),
        (vec![0xf8, 0x02, 0x20, 0x01], NodeFault::Encoding),
        (list(&[]), NodeFault::ItemCount),
        (list(&[&[0x20]]), NodeFault::ItemCount),
        (list(&[none; 3]), NodeFault::ItemCount),
        (list(&two[..16]), NodeFault::ItemCount),
        (list(&[&two[..], &[none]].concat()), NodeFault::ItemCount),
        (list(&lone), NodeFault::LoneBranch),
        (list(&bad_child), NodeFault::Child),
        (list(&long_child), NodeFault::Child),
        (list(&list_value), NodeFault::Encoding),
        (list(&[none, &hash]), NodeFault::Path),
        (list(&[&[0x00], &hash]), NodeFault::Path),
        (list(&[&[0x40], &hash]), NodeFault::Path),
        (list(&[&[0x01], &hash]), NodeFault::Path),
        (list(&[&long_path, &hash]), NodeFault::Path),
        (list(&[&longer_path, &hash]), NodeFault::Path),
        (list(&[&leaf, &hash]), NodeFault::Encoding),
        (list(&[&[0x11], none]), NodeFault::Child),
        (list(&[&[0x11], &leaf]), NodeFault::Child),
        (list(&[&[0x20], none]), NodeFault::Value),
        (list(&[&[0x20], &leaf]), NodeFault::Encoding),
    ];
    for (encoding, fault) in cases {
        let hash = keccak256(&encoding);
        let nodes = Map::from([(hash, encoding.clone())]);
        let got = Trie::new(hash).get(&[0; 32], &nodes).map(|_| ());
        assert_eq!(
            got,
            Err(TrieError::Malformed { hash, fault }),
            "{encoding:02x?}"
        );
    }
}

#[test]
fn whatever_bytes_are_nodes_nothing_panics() {
    let mut outcomes = [0u32; 2];
    for seed in 0..300 {
        let mut random = Random(seed);
        let mut entries = BTreeMap::new();
        for _ in 0..=random.below(12) {
            let _ = entries.insert(random.key(), random.value());
        }
        let (root, mut nodes) = build(&entries);
        for encoding in nodes.values_mut() {
            // The map does not hash: that is the witness's business.
            if random.below(3) == 0 && !encoding.is_empty() {
                let at = random.below(encoding.len() as u64) as usize;
                match random.below(3) {
                    0 => encoding[at] ^= 1 << random.below(8),
                    1 => encoding.truncate(at),
                    _ => encoding[at] = random.next() as u8,
                }
            }
        }
        let mut keys: Vec<_> = entries.keys().copied().collect();
        keys.push(random.key());
        for key in keys {
            let mut trie = Trie::new(root);
            let is_ok = trie.get(&key, &nodes).is_ok()
                & trie.insert(&key, vec![1], &nodes).is_ok()
                & trie.remove(&key, &nodes).is_ok();
            let _ = trie.root();
            outcomes[usize::from(is_ok)] += 1;
        }
    }
    std::eprintln!("{} refused, {} accepted", outcomes[0], outcomes[1]);
    assert!(outcomes.iter().all(|count| *count > 100), "{outcomes:?}");
}
