// Command baseline serves a dump of resources by go-control-plane, as its own documentation has it done: by its
// SnapshotCache, a snapshot for each identity, or by its LinearCache, one for each identity and type.
//
//	baseline snapshot|linear FILE
//
// It prints {"port": …} when it listens; for each line "change" on its input it gives one route configuration of each
// identity its next form, and prints {"startedMs": …}, the wall time before it began to. It ends with its input.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"log"
	"net"
	"os"
	"time"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/config/endpoint/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	discovery "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"github.com/envoyproxy/go-control-plane/pkg/cache/types"
	"github.com/envoyproxy/go-control-plane/pkg/cache/v3"
	"github.com/envoyproxy/go-control-plane/pkg/resource/v3"
	"github.com/envoyproxy/go-control-plane/pkg/server/sotw/v3"
	"github.com/envoyproxy/go-control-plane/pkg/server/v3"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/anypb"
)

type dumped struct {
	Name  string `json:"name"`
	Value []byte `json:"value"`
}

type identity struct {
	Types   map[string][]dumped `json:"types"`
	Changes []dumped            `json:"changes"`

	resources map[string][]types.Resource
	changes   []types.Resource
}

// source is one of the two caches, and how it takes a change in.
type source struct {
	cache cache.Cache
	// change serves the identity this route configuration from now on.
	change func(nodeID string, one *identity, route types.Resource, round int)
}

func main() {
	if len(os.Args) != 3 {
		log.Fatal("baseline snapshot|linear FILE")
	}
	identities := readDump(os.Args[2])
	var served source
	switch os.Args[1] {
	case "snapshot":
		served = snapshots(identities)
	case "linear":
		served = linear(identities)
	default:
		log.Fatalf("no such cache: %s", os.Args[1])
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(err)
	// ADS clients ask for clusters before what uses them, and expect the answers in that order.
	ads := server.NewServer(context.Background(), served.cache, nil, sotw.WithOrderedADS())
	grpcServer := grpc.NewServer(grpc.MaxRecvMsgSize(64 << 20))
	discovery.RegisterAggregatedDiscoveryServiceServer(grpcServer, ads)
	go func() { log.Fatal(grpcServer.Serve(listener)) }()
	fmt.Printf("{\"port\": %d}\n", listener.Addr().(*net.TCPAddr).Port)
	lines := bufio.NewScanner(os.Stdin)
	for round := 1; lines.Scan(); round++ {
		startedMs := float64(time.Now().UnixMicro()) / 1000
		for nodeID, one := range identities {
			served.change(nodeID, one, one.changes[(round-1)%len(one.changes)], round)
		}
		fmt.Printf("{\"startedMs\": %f}\n", startedMs)
	}
}

func snapshots(identities map[string]*identity) source {
	snapshotCache := cache.NewSnapshotCache(true, cache.IDHash{}, nil)
	publish := func(nodeID string, one *identity, round int) {
		snapshot := &cache.Snapshot{}
		for typeURL, resources := range one.resources {
			version := "1"
			if typeURL == resource.RouteType {
				version = fmt.Sprint(round + 1)
			}
			snapshot.Resources[cache.GetResponseType(typeURL)] = cache.NewResources(version, resources)
		}
		must(snapshotCache.SetSnapshot(context.Background(), nodeID, snapshot))
	}
	for nodeID, one := range identities {
		publish(nodeID, one, 0)
	}
	change := func(nodeID string, one *identity, route types.Resource, round int) {
		routes := append([]types.Resource{}, one.resources[resource.RouteType]...)
		for index, other := range routes {
			if cache.GetResourceName(other) == cache.GetResourceName(route) {
				routes[index] = route
			}
		}
		one.resources[resource.RouteType] = routes
		publish(nodeID, one, round)
	}
	return source{snapshotCache, change}
}

func linear(identities map[string]*identity) source {
	key := func(node *corev3.Node, typeURL string) string { return node.GetId() + " " + typeURL }
	mux := &cache.MuxCache{
		Classify:      func(request *cache.Request) string { return key(request.GetNode(), request.GetTypeUrl()) },
		ClassifyDelta: func(request *cache.DeltaRequest) string { return key(request.GetNode(), request.GetTypeUrl()) },
		Caches:        map[string]cache.Cache{},
	}
	routes := map[string]*cache.LinearCache{}
	for nodeID, one := range identities {
		for typeURL, resources := range one.resources {
			byName := map[string]types.Resource{}
			for _, each := range resources {
				byName[cache.GetResourceName(each)] = each
			}
			ofType := cache.NewLinearCache(typeURL, cache.WithInitialResources(byName))
			mux.Caches[key(&corev3.Node{Id: nodeID}, typeURL)] = ofType
			if typeURL == resource.RouteType {
				routes[nodeID] = ofType
			}
		}
	}
	change := func(nodeID string, _ *identity, route types.Resource, _ int) {
		must(routes[nodeID].UpdateResource(cache.GetResourceName(route), route))
	}
	return source{mux, change}
}

func readDump(file string) map[string]*identity {
	text, err := os.ReadFile(file)
	must(err)
	identities := map[string]*identity{}
	must(json.Unmarshal(text, &identities))
	for _, one := range identities {
		one.resources = map[string][]types.Resource{}
		for typeURL, list := range one.Types {
			one.resources[typeURL] = decode(typeURL, list)
		}
		one.changes = decode(resource.RouteType, one.Changes)
		one.Types, one.Changes = nil, nil
	}
	return identities
}

func decode(typeURL string, list []dumped) []types.Resource {
	decoded := make([]types.Resource, 0, len(list))
	for _, each := range list {
		message, err := (&anypb.Any{TypeUrl: typeURL, Value: each.Value}).UnmarshalNew()
		must(err)
		decoded = append(decoded, message)
	}
	return decoded
}

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
