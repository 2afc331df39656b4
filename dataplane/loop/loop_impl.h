// Definitions of Loop; included once per transport, where it is instantiated.
#pragma once

#include "dataplane/loop/cancels_impl.h"
#include "dataplane/loop/events_impl.h"
#include "dataplane/loop/handshakes_impl.h"
#include "dataplane/loop/holds_impl.h"
#include "dataplane/loop/introductions_impl.h"
#include "dataplane/loop/keys_impl.h"
#include "dataplane/loop/negotiations_impl.h"
#include "dataplane/loop/probes_impl.h"
#include "dataplane/loop/releases_impl.h"
#include "dataplane/loop/sessions_impl.h"
#include "dataplane/loop/turn_impl.h"
#include "dataplane/loop/upstreams_impl.h"
#include "dataplane/loop/views_impl.h"
#include "dataplane/tls/secure_transport_impl.h"
