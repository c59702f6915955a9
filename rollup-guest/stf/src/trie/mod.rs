//! A Merkle-Patricia trie over a witness: nodes are read and decoded only where a key leads.
//!
//! A trie begins as the hash of its root. [`Trie::get`], [`Trie::insert`] and [`Trie::remove`]
//! replace hashes by the nodes they stand for as they go down, and [`Trie::root`] hashes again only
//! what has changed. A node that the witness lacks is an error that names its hash.
//!
//! ```text
//!   root = Unread(h) ──get(5a…)──▶ Branch ─5─▶ Branch ─a─▶ Leaf
//!                                     │            └─ 15 × Unread
//!                                     └─ 15 × Unread
//! ```
//!
//! Which nodes an update needs depends on the order of the operations: a removal that leaves a
//! branch with one child needs that child. Inserts before removals need the fewest, and that is the
//! order that witnesses are made for.
//!
//! Sources: the Ethereum yellow paper, appendix D.

mod node;

use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::vec::Vec;
use core::mem;

use alloy_primitives::{B256, keccak256};
use alloy_trie::{EMPTY_ROOT_HASH, Nibbles};
use thiserror::Error;

use node::{Branch, Node};

/// Most bytes in a key: a path has at most 64 nibbles.
pub const KEY_BYTES_MAX: usize = 32;

/// Where nodes come from.
pub trait Nodes {
    /// The encoding of the node with this hash. Whoever implements this answers for the hash.
    fn node(&self, hash: &B256) -> Option<&[u8]>;
}

/// Why a node is not one that a trie can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum NodeFault {
    /// It is not the canonical encoding of one RLP list.
    #[error("not one canonical list")]
    Encoding,
    /// It has neither two nor seventeen items.
    #[error("neither 2 nor 17 items")]
    ItemCount,
    /// Its path has unknown flags, a set padding nibble, too many nibbles, or none in an extension.
    #[error("bad path")]
    Path,
    /// A child is neither a hash, nor a node shorter than one, nor absent where it may be.
    #[error("bad child")]
    Child,
    /// A leaf has an empty value.
    #[error("empty value")]
    Value,
    /// A branch has fewer than two children and values.
    #[error("branch with fewer than two uses")]
    LoneBranch,
}

/// Why an operation on a trie failed. A trie that has failed to change must not be used any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum TrieError {
    /// The witness lacks a node.
    #[error("trie node {hash} is missing")]
    Missing {
        /// Hash of the node.
        hash: B256,
    },
    /// The witness has the node, but it cannot be one.
    #[error("trie node {hash} is malformed: {fault}")]
    Malformed {
        /// Hash of the node.
        hash: B256,
        /// What is wrong with it.
        fault: NodeFault,
    },
    /// A key is longer than [`KEY_BYTES_MAX`].
    #[error("key of {len} bytes, at most {KEY_BYTES_MAX} are possible")]
    Key {
        /// Length of the key in bytes.
        len: usize,
    },
    /// A value is empty: that means absence, see [`Trie::remove`].
    #[error("an empty value cannot be inserted")]
    EmptyValue,
}

/// A trie of which only some nodes are known.
#[derive(Debug)]
pub struct Trie<'w> {
    root: Root<'w>,
}

/// The root has no parent that would hold its hash.
#[derive(Debug)]
enum Root<'w> {
    Unread(B256),
    Read(Node<'w>),
}

impl Default for Trie<'_> {
    fn default() -> Self {
        Trie::empty()
    }
}

impl<'w> Trie<'w> {
    /// The trie with this root.
    #[must_use]
    pub fn new(root: B256) -> Self {
        if root == EMPTY_ROOT_HASH {
            return Trie::empty();
        }
        Trie {
            root: Root::Unread(root),
        }
    }

    /// The trie without a key.
    #[must_use]
    pub const fn empty() -> Self {
        Trie {
            root: Root::Read(Node::Empty),
        }
    }

    /// The value of `key`, `None` if it has none.
    ///
    /// # Errors
    /// [`TrieError`] if the way to it, or to where it would be, is not in the witness.
    pub fn get(&mut self, key: &[u8], nodes: &'w impl Nodes) -> Result<Option<&[u8]>, TrieError> {
        let key = path_of(key)?;
        get(self.read(nodes)?, key, nodes)
    }

    /// Sets the value of `key`.
    ///
    /// # Errors
    /// [`TrieError`] if the way to it is not in the witness, or the value is empty.
    pub fn insert(
        &mut self,
        key: &[u8],
        value: Vec<u8>,
        nodes: &'w impl Nodes,
    ) -> Result<(), TrieError> {
        if value.is_empty() {
            return Err(TrieError::EmptyValue);
        }
        let key = path_of(key)?;
        let _ = insert(self.read(nodes)?, key, Cow::Owned(value), nodes)?;
        Ok(())
    }

    /// Removes `key`; returns whether it was there.
    ///
    /// # Errors
    /// [`TrieError`] if the way to it is not in the witness, or a node that takes its place.
    pub fn remove(&mut self, key: &[u8], nodes: &'w impl Nodes) -> Result<bool, TrieError> {
        let key = path_of(key)?;
        remove(self.read(nodes)?, key, nodes)
    }

    /// The hash of the root. Costs one hash for every node that has changed.
    pub fn root(&mut self) -> B256 {
        match &mut self.root {
            Root::Unread(hash) => *hash,
            Root::Read(Node::Empty) => EMPTY_ROOT_HASH,
            Root::Read(Node::Unread(hash)) => **hash,
            Root::Read(node) => node.hash(),
        }
    }

    /// Hands every node that has been read or is new to `sink`, with its hash: with the witness,
    /// all that is needed to go on from the new root.
    pub fn for_each_node(&mut self, mut sink: impl FnMut(B256, Vec<u8>)) {
        let Root::Read(node) = &mut self.root else {
            return;
        };
        // A root is found by its hash even if it is short.
        if let Some(encoding) = node.short_encoding() {
            sink(keccak256(&encoding), encoding);
        }
        node.for_each(&mut sink);
    }

    fn read(&mut self, nodes: &'w impl Nodes) -> Result<&mut Node<'w>, TrieError> {
        if let Root::Unread(hash) = &self.root {
            self.root = Root::Read(fetch(hash, nodes)?);
        }
        match &mut self.root {
            Root::Read(node) => Ok(node),
            Root::Unread(hash) => Err(TrieError::Missing { hash: *hash }),
        }
    }
}

fn path_of(key: &[u8]) -> Result<Nibbles, TrieError> {
    if key.len() > KEY_BYTES_MAX {
        return Err(TrieError::Key { len: key.len() });
    }
    Ok(Nibbles::unpack(key))
}

fn fetch<'w>(hash: &B256, nodes: &'w impl Nodes) -> Result<Node<'w>, TrieError> {
    let Some(bytes) = nodes.node(hash) else {
        return Err(TrieError::Missing { hash: *hash });
    };
    Node::decode(bytes, *hash).map_err(|fault| TrieError::Malformed { hash: *hash, fault })
}

fn resolve<'w>(node: &mut Node<'w>, nodes: &'w impl Nodes) -> Result<(), TrieError> {
    if let Node::Unread(hash) = node {
        *node = fetch(hash, nodes)?;
    }
    Ok(())
}

/// Splits the first nibble off a path that has one.
fn split_first(path: &Nibbles) -> Option<(usize, Nibbles)> {
    let first = path.first()?;
    Some((usize::from(first), path.slice(1..)))
}

fn get<'n, 'w>(
    mut node: &'n mut Node<'w>,
    mut path: Nibbles,
    nodes: &'w impl Nodes,
) -> Result<Option<&'n [u8]>, TrieError> {
    // Every turn but the last takes at least one nibble off the path: extensions are not empty.
    loop {
        resolve(node, nodes)?;
        match node {
            Node::Empty | Node::Unread(_) => return Ok(None),
            Node::Leaf(leaf) => return Ok((leaf.path == path).then_some(leaf.value.as_ref())),
            Node::Extension(extension) => {
                if !path.starts_with(&extension.path) {
                    return Ok(None);
                }
                path = path.slice(extension.path.len()..);
                node = &mut extension.child;
            }
            Node::Branch(branch) => match split_first(&path) {
                None => return Ok(branch.value.as_deref()),
                Some((first, rest)) => {
                    path = rest;
                    node = &mut branch.children[first];
                }
            },
        }
    }
}

/// Returns whether anything has changed, so that an equal value costs no hashes.
fn insert<'w>(
    node: &mut Node<'w>,
    path: Nibbles,
    value: Cow<'w, [u8]>,
    nodes: &'w impl Nodes,
) -> Result<bool, TrieError> {
    resolve(node, nodes)?;
    match node {
        Node::Empty | Node::Unread(_) => {
            *node = Node::leaf(path, value);
            Ok(true)
        }
        Node::Leaf(leaf) => {
            let shared = leaf.path.common_prefix_length(&path);
            if shared == leaf.path.len() && shared == path.len() {
                if leaf.value == value {
                    return Ok(false);
                }
                leaf.value = value;
                leaf.hash = None;
                return Ok(true);
            }
            let mut branch = Branch::default();
            let old = mem::take(&mut leaf.value);
            branch.put(&leaf.path.slice(shared..), old);
            branch.put(&path.slice(shared..), value);
            *node = prefixed(&path.slice(..shared), Node::Branch(Box::new(branch)));
            Ok(true)
        }
        Node::Extension(extension) => {
            let shared = extension.path.common_prefix_length(&path);
            if shared == extension.path.len() {
                let has_changed = insert(&mut extension.child, path.slice(shared..), value, nodes)?;
                if has_changed {
                    extension.hash = None;
                }
                return Ok(has_changed);
            }
            let mut branch = Branch::default();
            if let Some((first, rest)) = split_first(&extension.path.slice(shared..)) {
                branch.children[first] = prefixed(&rest, mem::take(&mut extension.child));
            }
            branch.put(&path.slice(shared..), value);
            *node = prefixed(&path.slice(..shared), Node::Branch(Box::new(branch)));
            Ok(true)
        }
        Node::Branch(branch) => {
            let has_changed = match split_first(&path) {
                Some((first, rest)) => insert(&mut branch.children[first], rest, value, nodes)?,
                None if branch.value.as_ref() == Some(&value) => false,
                None => {
                    branch.value = Some(value);
                    true
                }
            };
            if has_changed {
                branch.hash = None;
            }
            Ok(has_changed)
        }
    }
}

fn remove<'w>(
    node: &mut Node<'w>,
    path: Nibbles,
    nodes: &'w impl Nodes,
) -> Result<bool, TrieError> {
    resolve(node, nodes)?;
    match node {
        Node::Empty | Node::Unread(_) => Ok(false),
        Node::Leaf(leaf) => {
            let is_here = leaf.path == path;
            if is_here {
                *node = Node::Empty;
            }
            Ok(is_here)
        }
        Node::Extension(extension) => {
            if !path.starts_with(&extension.path) {
                return Ok(false);
            }
            let rest = path.slice(extension.path.len()..);
            if !remove(&mut extension.child, rest, nodes)? {
                return Ok(false);
            }
            let path = extension.path;
            let child = mem::take(&mut extension.child);
            *node = prefixed(&path, child);
            Ok(true)
        }
        Node::Branch(branch) => {
            let was_here = match split_first(&path) {
                Some((first, rest)) => remove(&mut branch.children[first], rest, nodes)?,
                None => branch.value.take().is_some(),
            };
            if !was_here {
                return Ok(false);
            }
            branch.hash = None;
            if let Some(single) = collapse(branch, nodes)? {
                *node = single;
            }
            Ok(true)
        }
    }
}

/// What takes a branch's place when one child or the value is all it has; `None` if it has more.
fn collapse<'w>(
    branch: &mut Branch<'w>,
    nodes: &'w impl Nodes,
) -> Result<Option<Node<'w>>, TrieError> {
    let mut used = (0u8..)
        .zip(&mut branch.children)
        .filter(|(_, child)| !child.is_empty());
    let Some((nibble, child)) = used.next() else {
        let value = branch.value.take();
        return Ok(Some(
            value.map_or(Node::Empty, |value| Node::leaf(Nibbles::new(), value)),
        ));
    };
    if used.next().is_some() || branch.value.is_some() {
        return Ok(None);
    }
    // A leaf or an extension absorbs the nibble, so it must be known what the child is.
    resolve(child, nodes)?;
    let child = mem::take(child);
    Ok(Some(prefixed(&Nibbles::from_nibbles([nibble]), child)))
}

/// `node` with `path` before it: into a leaf's or an extension's path, or as an extension of its
/// own.
fn prefixed<'w>(path: &Nibbles, node: Node<'w>) -> Node<'w> {
    if path.is_empty() {
        return node;
    }
    match node {
        Node::Empty => Node::Empty,
        Node::Leaf(leaf) => Node::leaf(path.join(&leaf.path), leaf.value),
        Node::Extension(extension) => Node::extension(path.join(&extension.path), extension.child),
        node @ (Node::Unread(_) | Node::Branch(_)) => Node::extension(*path, node),
    }
}

#[cfg(test)]
mod tests;
