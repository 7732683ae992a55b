//! Doubly linked lists that share one slab of nodes: append, unlink and move in
//! O(1) by node number, 16 bytes beside the item and no allocation of its own
//! per node. A slab grows by a quarter, so that no more than that is unused. The eviction policy and the timer wheel are made of these.

use std::fmt;

/// A node's number, valid until it is unlinked.
pub(crate) type Node = u32;

const NIL: Node = Node::MAX;

/// An emptied slab of up to so many cells keeps its memory.
const KEPT: usize = 64;

struct Cell<T> {
    item: Option<T>,
    before: Node,
    after: Node,
    list: u32,
}

#[derive(Debug, Clone, Copy)]
struct Ends {
    first: Node,
    last: Node,
}

/// A fixed number of lists over one slab.
pub(crate) struct LinkedSlab<T> {
    cells: Vec<Cell<T>>,
    lists: Box<[Ends]>,
    free: Node,
    len: usize,
}

impl<T> LinkedSlab<T> {
    pub(crate) fn new(lists: usize) -> Self {
        let empty = Ends {
            first: NIL,
            last: NIL,
        };
        Self {
            cells: Vec::new(),
            lists: vec![empty; lists].into(),
            free: NIL,
            len: 0,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn bytes(&self) -> usize {
        self.cells.capacity() * size_of::<Cell<T>>() + size_of_val(&*self.lists)
    }

    /// Appends `item` to `list`.
    pub(crate) fn append(&mut self, list: usize, item: T) -> Node {
        let cell = Cell {
            item: Some(item),
            before: NIL,
            after: NIL,
            list: 0,
        };
        let node = if self.free == NIL {
            if self.cells.len() == self.cells.capacity() {
                self.cells.reserve_exact((self.cells.len() / 4).max(4));
            }
            self.cells.push(cell);
            #[allow(clippy::cast_possible_truncation)] // 2^32 - 1 entries fill 200 GiB
            {
                (self.cells.len() - 1) as Node
            }
        } else {
            let node = self.free;
            self.free = self.cells[node as usize].after;
            self.cells[node as usize] = cell;
            node
        };
        self.link(list, node);
        self.len += 1;
        node
    }

    /// Moves `node`, which is in a list, to the end of `list`.
    pub(crate) fn move_to_end(&mut self, list: usize, node: Node) {
        self.detach(node);
        self.link(list, node);
    }

    /// Takes `node` out of its list; `None` if it is in none.
    pub(crate) fn unlink(&mut self, node: Node) -> Option<T> {
        let item = self.cells.get_mut(node as usize)?.item.take()?;
        self.detach(node);
        self.cells[node as usize].after = self.free;
        self.free = node;
        self.len -= 1;
        if self.len == 0 && self.cells.len() > KEPT {
            self.cells = Vec::new();
            self.free = NIL;
        }
        Some(item)
    }

    /// Takes the first item out of `list`.
    pub(crate) fn pop_first(&mut self, list: usize) -> Option<T> {
        self.unlink(self.first(list)?)
    }

    fn link(&mut self, list: usize, node: Node) {
        let last = self.lists[list].last;
        let cell = &mut self.cells[node as usize];
        (cell.before, cell.after) = (last, NIL);
        // Lists are few: a timer wheel has some hundreds.
        #[allow(clippy::cast_possible_truncation)]
        {
            cell.list = list as u32;
        }
        match last {
            NIL => self.lists[list].first = node,
            last => self.cells[last as usize].after = node,
        }
        self.lists[list].last = node;
    }

    fn detach(&mut self, node: Node) {
        let cell = &self.cells[node as usize];
        let (before, after, list) = (cell.before, cell.after, cell.list as usize);
        match before {
            NIL => self.lists[list].first = after,
            before => self.cells[before as usize].after = after,
        }
        match after {
            NIL => self.lists[list].last = before,
            after => self.cells[after as usize].before = before,
        }
    }

    /// Puts `item` in the place of the one at `node` and returns that.
    pub(crate) fn replace(&mut self, node: Node, item: T) -> Option<T> {
        self.cells.get_mut(node as usize)?.item.replace(item)
    }

    pub(crate) fn get(&self, node: Node) -> Option<&T> {
        self.cells.get(node as usize)?.item.as_ref()
    }

    pub(crate) fn first(&self, list: usize) -> Option<Node> {
        some(self.lists[list].first)
    }

    pub(crate) fn after(&self, node: Node) -> Option<Node> {
        some(self.cells[node as usize].after)
    }

    pub(crate) fn list_of(&self, node: Node) -> usize {
        self.cells[node as usize].list as usize
    }

    pub(crate) fn is_empty(&self, list: usize) -> bool {
        self.lists[list].first == NIL
    }

    /// Checks every link; for tests.
    #[cfg(any(test, feature = "testing"))]
    pub(crate) fn validate(&self) {
        let mut linked = 0;
        for (list, ends) in self.lists.iter().enumerate() {
            let (mut before, mut node) = (NIL, ends.first);
            while node != NIL {
                let cell = &self.cells[node as usize];
                assert!(cell.item.is_some(), "node {node} is linked and empty");
                assert_eq!(cell.before, before);
                assert_eq!(cell.list as usize, list);
                linked += 1;
                before = node;
                node = cell.after;
            }
            assert_eq!(ends.last, before);
        }
        assert_eq!(linked, self.len);
        let mut free = 0;
        let mut node = self.free;
        while node != NIL {
            assert!(self.cells[node as usize].item.is_none());
            free += 1;
            node = self.cells[node as usize].after;
        }
        assert_eq!(linked + free, self.cells.len());
    }
}

fn some(node: Node) -> Option<Node> {
    (node != NIL).then_some(node)
}

impl<T> fmt::Debug for LinkedSlab<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LinkedSlab")
            .field("len", &self.len)
            .finish_non_exhaustive()
    }
}

#[cfg(all(test, not(loom)))]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn items(slab: &LinkedSlab<char>, list: usize) -> String {
        let mut text = String::new();
        let mut next = slab.first(list);
        while let Some(node) = next {
            text.push(*slab.get(node).unwrap());
            next = slab.after(node);
        }
        text
    }

    #[test]
    fn items_are_appended_unlinked_and_their_nodes_used_again() {
        let mut slab = LinkedSlab::new(2);
        let nodes: Vec<_> = "abcd".chars().map(|c| slab.append(0, c)).collect();
        slab.append(1, 'x');
        assert_eq!(slab.unlink(nodes[1]), Some('b'));
        assert_eq!(slab.unlink(nodes[1]), None);
        assert_eq!(slab.unlink(nodes[3]), Some('d'));
        slab.validate();
        assert_eq!(slab.append(1, 'y'), nodes[3]);
        assert_eq!(slab.replace(nodes[0], 'A'), Some('a'));
        slab.validate();
        assert_eq!(
            (items(&slab, 0), items(&slab, 1)),
            ("Ac".into(), "xy".into())
        );
        assert_eq!(slab.list_of(nodes[3]), 1);
    }

    #[test]
    fn an_emptied_slab_gives_its_memory_back() {
        let mut slab = LinkedSlab::new(1);
        let nodes: Vec<_> = (0..1000).map(|n| slab.append(0, n)).collect();
        let full = slab.bytes();
        for node in nodes {
            slab.unlink(node);
        }
        slab.validate();
        assert!(slab.is_empty(0) && slab.bytes() < full / 100);
    }
}
