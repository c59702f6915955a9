//! Worlds with contracts, and calls of them: natively and in the guest.

use alloy_consensus::TxEip1559;
use alloy_eips::eip7002::WITHDRAWAL_REQUEST_PREDEPLOY_ADDRESS;
use alloy_eips::eip7251::CONSOLIDATION_REQUEST_PREDEPLOY_ADDRESS;
use alloy_eips::eip7685::Requests;
use alloy_primitives::{Address, Bytes, TxKind, U256, address, hex};
use zkvm_machine::{Execution, load};
use zkvm_rollup_node::store::Account;
use zkvm_rollup_stf::rollup::{BatchInput, Verdict};

use super::guests::run_bytes;
use super::parts::PROVER;
use super::world::*;

pub(crate) const CONTRACT: Address = address!("00000000000000000000000000000000000000c0");

/// A world of a fork with contracts; since Prague, blocks end with calls to two, which ask for
/// nothing.
pub(crate) fn world_with(fork: u8, contracts: &[(Address, &[u8])]) -> World {
    let mut world = World::new();
    world.config.fork = fork;
    let predeploys = [
        WITHDRAWAL_REQUEST_PREDEPLOY_ADDRESS,
        CONSOLIDATION_REQUEST_PREDEPLOY_ADDRESS,
    ];
    let predeploys = predeploys.map(|address| (address, &[0u8][..]));
    for (address, code) in predeploys.iter().chain(contracts) {
        let account = Account {
            code: Bytes::copy_from_slice(code),
            ..Account::default()
        };
        world.accounts.insert(*address, account);
    }
    renew(&mut world);
    world.genesis.requests_hash = (fork >= 3).then(|| Requests::default().requests_hash());
    world
}

/// After a change of the accounts.
pub(crate) fn renew(world: &mut World) {
    world.genesis.state_root = world.store.insert_state(&world.accounts).unwrap();
}

pub(crate) fn call(nonce: u64, gas_limit: u64, to: Address, input: Vec<u8>) -> TxEip1559 {
    TxEip1559 {
        gas_limit,
        to: TxKind::Call(to),
        input: input.into(),
        ..payment(nonce, 0)
    }
}

/// One block of these.
pub(crate) fn one_block(world: &World, transactions: Vec<Bytes>) -> Vec<u8> {
    world.post(world.batch(vec![world.block(SLOT, transactions)]))
}

/// Runs the guest without hints.
pub(crate) fn in_guest(world: &World, batch: &[u8]) -> Execution {
    let program = load(zkvm_rollup_programs::ROLLUP_BATCH).unwrap();
    run_bytes(&program, guest_input(world, batch))
}

/// What the guest reads.
pub(crate) fn guest_input(world: &World, batch: &[u8]) -> Vec<u8> {
    let headers = [alloy_rlp::encode(&world.genesis).into()];
    let (config, view) = (
        alloy_rlp::encode(&world.config),
        alloy_rlp::encode(&world.view),
    );
    let input = BatchInput {
        config: &config,
        view: &view,
        set: world.set.clone(),
        items: world.items(),
        batch,
        prover: PROVER.into_array(),
        blocks: None,
        witness: world.store.witness(&headers),
    };
    postcard::to_allocvec(&input).unwrap()
}

/// Calls the address in the first word of the input with what is after the second, as often as the
/// second says; stores the last answer's hash and success.
pub(crate) const CALLER: [u8; 47] = hex!(
    // The input to memory. In a loop: a call, its success to slot 1, one less.
    "365f5f37 5b5f5f60403603 60405f515afa600155 600160205103 80602052600457"
    // The answer's hash to slot 0.
    "3d5f6140003e 3d61400020 5f5500"
);

pub(crate) fn calls(address: u64, count: u64, input: &[u8]) -> Vec<u8> {
    let [address, count] = [address, count].map(|it| U256::from(it).to_be_bytes::<32>());
    [&address[..], &count, input].concat()
}

/// A true proof about a blob, of the test vectors of EIP-4844.
pub(crate) const KZG: [u8; 192] = hex!(
    "01e798154708fe7789429634053cbf9f99b619f9f084048927333fce637f549b"
    "73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000000"
    "1522a4a7f34e1ea350ae07c29c96c7e79655aa926122e95fe69fcbd932ca49e9"
    "8f59a8d2a1a625a17f3fea0fe5eb8c896db3764f3185481bc22f91b4aaffcca2"
    "5f26936857bc3a7c2539ea8ec3a952b7"
    "a62ad71d14c5719385c0686f1871430475bf3a00f0aa3f7b8dd99a9abc216074"
    "4faf0070725e00b60ad9a026a15b1a8c"
);

/// Two pairings of alt_bn128 whose product is one.
pub(crate) const PAIRING: [u8; 384] = hex!(
    "0000000000000000000000000000000000000000000000000000000000000001"
    "0000000000000000000000000000000000000000000000000000000000000002"
    "198e9393920d483a7260bfb731fb5d25f1aa493335a9e71297e485b7aef312c2"
    "1800deef121f1e76426a00665e5c4479674322d4f75edadd46debd5cd992f6ed"
    "090689d0585ff075ec9e99ad690c3395bc4b313370b38ef355acdadcd122975b"
    "12c85ea5db8c6deb4aab71808dcb408fe3d1e7690c43d37b4ce6cc0166fa7daa"
    "0000000000000000000000000000000000000000000000000000000000000001"
    "30644e72e131a029b85045b68181585d97816a916871ca8d3c208c16d87cfd45"
    "198e9393920d483a7260bfb731fb5d25f1aa493335a9e71297e485b7aef312c2"
    "1800deef121f1e76426a00665e5c4479674322d4f75edadd46debd5cd992f6ed"
    "090689d0585ff075ec9e99ad690c3395bc4b313370b38ef355acdadcd122975b"
    "12c85ea5db8c6deb4aab71808dcb408fe3d1e7690c43d37b4ce6cc0166fa7daa"
);

/// A power whose exponent has so many bytes, which are zero after the first.
pub(crate) fn power(modulus_bytes: u64, exponent_bytes: u64) -> Vec<u8> {
    let words = [modulus_bytes, exponent_bytes, modulus_bytes];
    let mut input: Vec<u8> = words
        .iter()
        .flat_map(|it| U256::from(*it).to_be_bytes::<32>())
        .collect();
    let modulus_bytes = usize::try_from(modulus_bytes).unwrap();
    input.extend(vec![0xfe; modulus_bytes]);
    input.extend(vec![0xff; usize::try_from(exponent_bytes).unwrap()]);
    input.extend(vec![0xfd; modulus_bytes]);
    input
}

pub(crate) fn blake(rounds: u32) -> Vec<u8> {
    [&rounds.to_be_bytes()[..], &[0x5a; 208], &[1]].concat()
}

/// The outputs of F natively and in the guest for one call of a contract; gas and cycles.
pub(crate) fn both(world: &World, gas_limit: u64, input: Vec<u8>) -> (u64, u64) {
    let own = vec![raw(call(0, gas_limit, CONTRACT, input), &key(11))];
    let bytes = one_block(world, own);
    let outcome = world.run(&bytes);
    assert_eq!(outcome.out.verdict, Verdict::Ok);
    let execution = in_guest(world, &bytes);
    assert!(execution.exit.is_success(), "{}", execution.exit);
    assert_eq!(execution.journal, outcome.out.digest().as_slice());
    (outcome.blocks[0].header.gas_used, execution.cycles)
}
