// The loop on the transport that the gateway runs on.
#include "dataplane/loop/loop_impl.h"
#include "dataplane/transport/uring_transport.h"

namespace sluice::dataplane {

template class Loop<UringTransport>;

}  // namespace sluice::dataplane
