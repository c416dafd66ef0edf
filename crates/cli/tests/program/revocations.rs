//! What counts no more counts nowhere, soon, and for good: on two replicas, after kills, with notices lost
//! and networks cut, and under clocks that disagree.

mod away;
mod changes;
mod epochs;
mod feed;
mod kills;
mod million;
mod proxy;
mod psql;
mod rotation;
mod seen;
mod skew;
mod stuck;
mod team;
