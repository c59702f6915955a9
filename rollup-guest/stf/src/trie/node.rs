//! The nodes of a trie, their strict decoding and their encoding.
//!
//! Decoding copies nothing: hashes and values borrow from the witness. It refuses what no trie
//! encodes to, so that a node has one reading; depth is bounded because each extension and each
//! branch takes a nibble, and an inlined node is shorter than a hash.

use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::vec::Vec;

use alloy_primitives::{B256, keccak256};
use alloy_rlp::{BufMut, EMPTY_STRING_CODE, Encodable, Header};
use alloy_trie::Nibbles;

use super::NodeFault;

/// A node shorter than this is part of its parent's encoding.
const HASH_BYTES: usize = 32;
/// Encoding of a hash: one byte of length and the hash.
const HASH_CODE: u8 = 0xA0;
/// Nibbles of the longest key.
const PATH_NIBBLES_MAX: usize = 64;
/// The hex-prefix flags: a leaf's path, and a path of odd length.
const FLAG_LEAF: u8 = 0x20;
const FLAG_ODD: u8 = 0x10;

#[derive(Debug, Default)]
pub(super) enum Node<'w> {
    #[default]
    Empty,
    /// Known by its hash only.
    Unread(&'w B256),
    Leaf(Box<Leaf<'w>>),
    Extension(Box<Extension<'w>>),
    Branch(Box<Branch<'w>>),
}

// In each of the three, `hash` is that of the encoding if it is known: nothing below has changed.

#[derive(Debug)]
pub(super) struct Leaf<'w> {
    pub(super) path: Nibbles,
    pub(super) value: Cow<'w, [u8]>,
    pub(super) hash: Option<B256>,
}

#[derive(Debug)]
pub(super) struct Extension<'w> {
    pub(super) path: Nibbles,
    pub(super) child: Node<'w>,
    pub(super) hash: Option<B256>,
}

#[derive(Debug, Default)]
pub(super) struct Branch<'w> {
    pub(super) children: [Node<'w>; 16],
    pub(super) value: Option<Cow<'w, [u8]>>,
    pub(super) hash: Option<B256>,
}

impl<'w> Branch<'w> {
    /// Puts a value where there is none yet.
    pub(super) fn put(&mut self, path: &Nibbles, value: Cow<'w, [u8]>) {
        match super::split_first(path) {
            None => self.value = Some(value),
            Some((first, rest)) => self.children[first] = Node::leaf(rest, value),
        }
    }
}

impl<'w> Node<'w> {
    pub(super) fn leaf(path: Nibbles, value: Cow<'w, [u8]>) -> Self {
        Node::Leaf(Box::new(Leaf {
            path,
            value,
            hash: None,
        }))
    }

    pub(super) fn extension(path: Nibbles, child: Node<'w>) -> Self {
        Node::Extension(Box::new(Extension {
            path,
            child,
            hash: None,
        }))
    }

    pub(super) const fn is_empty(&self) -> bool {
        matches!(self, Node::Empty)
    }

    /// Reads the node that `bytes` encode, which hash to `hash`.
    pub(super) fn decode(bytes: &'w [u8], hash: B256) -> Result<Self, NodeFault> {
        let mut rest = bytes;
        let item = Item::take(&mut rest)?;
        if !rest.is_empty() {
            return Err(NodeFault::Encoding);
        }
        decode_list(&item, (bytes.len() >= HASH_BYTES).then_some(hash))
    }

    /// The hash of the encoding, whatever its length.
    pub(super) fn hash(&mut self) -> B256 {
        if let Some(hash) = self.known_hash() {
            return hash;
        }
        let encoding = self.encode();
        let hash = keccak256(&encoding);
        // A short root keeps no hash: below another node, it would be no reference.
        if encoding.len() >= HASH_BYTES {
            self.set_hash(hash);
        }
        hash
    }

    /// Hands this node and those below that have been read or are new to `sink`, but not what is
    /// part of another's encoding.
    pub(super) fn for_each(&mut self, sink: &mut dyn FnMut(B256, Vec<u8>)) {
        match self {
            Node::Empty | Node::Unread(_) => return,
            Node::Leaf(_) => {}
            Node::Extension(extension) => extension.child.for_each(sink),
            Node::Branch(branch) => {
                for child in &mut branch.children {
                    child.for_each(sink);
                }
            }
        }
        let encoding = self.encode();
        if encoding.len() >= HASH_BYTES {
            sink(keccak256(&encoding), encoding);
        }
    }

    /// The encoding if it is shorter than a hash.
    pub(super) fn short_encoding(&mut self) -> Option<Vec<u8>> {
        let encoding = self.encode();
        (!self.is_empty() && encoding.len() < HASH_BYTES).then_some(encoding)
    }

    fn known_hash(&self) -> Option<B256> {
        match self {
            Node::Empty => None,
            Node::Unread(hash) => Some(**hash),
            Node::Leaf(leaf) => leaf.hash,
            Node::Extension(extension) => extension.hash,
            Node::Branch(branch) => branch.hash,
        }
    }

    fn set_hash(&mut self, hash: B256) {
        match self {
            Node::Empty | Node::Unread(_) => {}
            Node::Leaf(leaf) => leaf.hash = Some(hash),
            Node::Extension(extension) => extension.hash = Some(hash),
            Node::Branch(branch) => branch.hash = Some(hash),
        }
    }

    /// Encodes the node; children that have changed are hashed and remember it.
    fn encode(&mut self) -> Vec<u8> {
        let mut payload = Vec::new();
        match self {
            Node::Empty | Node::Unread(_) => {
                self.put_reference(&mut payload);
                return payload;
            }
            Node::Leaf(leaf) => {
                put_path(&leaf.path, FLAG_LEAF, &mut payload);
                leaf.value.as_ref().encode(&mut payload);
            }
            Node::Extension(extension) => {
                put_path(&extension.path, 0, &mut payload);
                extension.child.put_reference(&mut payload);
            }
            Node::Branch(branch) => {
                payload.reserve(17 * (1 + HASH_BYTES));
                for child in &mut branch.children {
                    child.put_reference(&mut payload);
                }
                branch
                    .value
                    .as_deref()
                    .unwrap_or_default()
                    .encode(&mut payload);
            }
        }
        let header = Header {
            list: true,
            payload_length: payload.len(),
        };
        let mut out = Vec::with_capacity(header.length_with_payload());
        header.encode(&mut out);
        out.extend_from_slice(&payload);
        out
    }

    /// What a parent's encoding has of this node.
    fn put_reference(&mut self, out: &mut Vec<u8>) {
        if let Some(hash) = self.known_hash() {
            return hash.encode(out);
        }
        if self.is_empty() {
            return out.put_u8(EMPTY_STRING_CODE);
        }
        let encoding = self.encode();
        if encoding.len() < HASH_BYTES {
            out.extend_from_slice(&encoding);
        } else {
            let hash = keccak256(&encoding);
            self.set_hash(hash);
            hash.encode(out);
        }
    }
}

fn put_path(path: &Nibbles, flags: u8, out: &mut Vec<u8>) {
    let mut bytes = [0u8; 1 + PATH_NIBBLES_MAX / 2];
    let len_bytes = path.len() / 2 + 1;
    let mut nibbles = path.iter();
    bytes[0] = match path.len() % 2 {
        0 => flags,
        _ => flags | FLAG_ODD | nibbles.next().unwrap_or_default(),
    };
    for byte in &mut bytes[1..len_bytes] {
        let high = nibbles.next().unwrap_or_default();
        *byte = high << 4 | nibbles.next().unwrap_or_default();
    }
    bytes[..len_bytes].encode(out);
}

/// One RLP item.
struct Item<'w> {
    is_list: bool,
    payload: &'w [u8],
    /// Length with the header.
    len_bytes: usize,
}

impl<'w> Item<'w> {
    fn take(rest: &mut &'w [u8]) -> Result<Self, NodeFault> {
        let before = rest.len();
        let header = Header::decode(rest).map_err(|_| NodeFault::Encoding)?;
        let (payload, after) = rest
            .split_at_checked(header.payload_length)
            .ok_or(NodeFault::Encoding)?;
        *rest = after;
        Ok(Item {
            is_list: header.list,
            payload,
            len_bytes: before - after.len(),
        })
    }

    /// [`Item::take`] of a node's next item, short for the two encodings that nearly all children
    /// have.
    fn take_child(rest: &mut &'w [u8]) -> Result<Self, NodeFault> {
        match rest.split_first() {
            None => Err(NodeFault::ItemCount),
            Some((&EMPTY_STRING_CODE, after)) => {
                *rest = after;
                Ok(Item {
                    is_list: false,
                    payload: &[],
                    len_bytes: 1,
                })
            }
            Some((&HASH_CODE, after)) => {
                let (payload, after) = after
                    .split_at_checked(HASH_BYTES)
                    .ok_or(NodeFault::Encoding)?;
                *rest = after;
                Ok(Item {
                    is_list: false,
                    payload,
                    len_bytes: 1 + HASH_BYTES,
                })
            }
            Some(_) => Item::take(rest),
        }
    }

    fn string(&self) -> Result<&'w [u8], NodeFault> {
        if self.is_list {
            Err(NodeFault::Encoding)
        } else {
            Ok(self.payload)
        }
    }
}

fn decode_list<'w>(item: &Item<'w>, hash: Option<B256>) -> Result<Node<'w>, NodeFault> {
    if !item.is_list {
        return Err(NodeFault::Encoding);
    }
    let mut rest = item.payload;
    let first = Item::take_child(&mut rest)?;
    let second = Item::take_child(&mut rest)?;
    if rest.is_empty() {
        return decode_pair(&first, &second, hash);
    }
    decode_branch(item.payload, hash)
}

fn decode_pair<'w>(
    path: &Item<'w>,
    item: &Item<'w>,
    hash: Option<B256>,
) -> Result<Node<'w>, NodeFault> {
    let (is_leaf, path) = decode_path(path.string()?)?;
    if is_leaf {
        let value = item.string()?;
        if value.is_empty() {
            return Err(NodeFault::Value);
        }
        return Ok(Node::Leaf(Box::new(Leaf {
            path,
            value: Cow::Borrowed(value),
            hash,
        })));
    }
    if path.is_empty() {
        return Err(NodeFault::Path);
    }
    let child = decode_child(item)?;
    // An extension is before a branch only: it would have absorbed anything else.
    if !matches!(child, Node::Unread(_) | Node::Branch(_)) {
        return Err(NodeFault::Child);
    }
    Ok(Node::Extension(Box::new(Extension { path, child, hash })))
}

fn decode_branch(payload: &[u8], hash: Option<B256>) -> Result<Node<'_>, NodeFault> {
    let mut rest = payload;
    let mut branch = Box::new(Branch {
        hash,
        ..Branch::default()
    });
    let mut uses = 0;
    for child in &mut branch.children {
        *child = decode_child(&Item::take_child(&mut rest)?)?;
        uses += usize::from(!child.is_empty());
    }
    let value = Item::take_child(&mut rest)?.string()?;
    if !value.is_empty() {
        branch.value = Some(Cow::Borrowed(value));
        uses += 1;
    }
    if !rest.is_empty() {
        return Err(NodeFault::ItemCount);
    }
    if uses < 2 {
        return Err(NodeFault::LoneBranch);
    }
    Ok(Node::Branch(branch))
}

fn decode_child<'w>(item: &Item<'w>) -> Result<Node<'w>, NodeFault> {
    if item.is_list {
        if item.len_bytes >= HASH_BYTES {
            return Err(NodeFault::Child);
        }
        return decode_list(item, None);
    }
    if item.payload.is_empty() {
        return Ok(Node::Empty);
    }
    let hash: &'w [u8; HASH_BYTES] = item.payload.try_into().map_err(|_| NodeFault::Child)?;
    Ok(Node::Unread(hash.into()))
}

/// Whether a hex-prefixed path is a leaf's, and its nibbles.
fn decode_path(bytes: &[u8]) -> Result<(bool, Nibbles), NodeFault> {
    let (&first, rest) = bytes.split_first().ok_or(NodeFault::Path)?;
    if first & !(FLAG_LEAF | FLAG_ODD | 0x0F) != 0 || rest.len() > PATH_NIBBLES_MAX / 2 {
        return Err(NodeFault::Path);
    }
    let is_odd = first & FLAG_ODD != 0;
    let is_padded = !is_odd && first & 0x0F == 0;
    if !is_odd && !is_padded || is_odd && rest.len() == PATH_NIBBLES_MAX / 2 {
        return Err(NodeFault::Path);
    }
    let rest = Nibbles::unpack(rest);
    let path = if is_odd {
        Nibbles::from_nibbles([first & 0x0F]).join(&rest)
    } else {
        rest
    };
    Ok((first & FLAG_LEAF != 0, path))
}
