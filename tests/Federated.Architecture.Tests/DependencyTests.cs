using System.Reflection;
using NetArchTest.Rules;

namespace Federated.Architecture.Tests;

/// <summary>The walls of the house: who may depend on whom.</summary>
public sealed class DependencyTests
{
    private static readonly Assembly _shared = Assembly.Load("Federated.Shared");
    private static readonly Assembly _modeling = Assembly.Load("Federated.Modeling");
    private static readonly Assembly _training = Assembly.Load("Federated.Training");
    private static readonly Assembly _client = Assembly.Load("Federated.Client");
    private static readonly Assembly _server = Assembly.Load("Federated.Server");
    private static readonly Assembly _simulator = Assembly.Load("Federated.Simulator");

    private static readonly string[] _rawCryptography =
    [
        "System.Security.Cryptography.Aes",
        "System.Security.Cryptography.AesGcm",
        "System.Security.Cryptography.ECDiffieHellman",
        "System.Security.Cryptography.ECDsa",
        "System.Security.Cryptography.HKDF",
    ];

    [Fact]
    public void Shared_Assemblies_KnowNoServerTechnology() => Demand(
        Types.InAssemblies([_shared, _modeling, _training]).ShouldNot()
            .HaveDependencyOnAny("Orleans", "Microsoft.AspNetCore", "Azure", "TorchSharp", "Microsoft.Data.Sqlite", "SQLitePCL", "Federated.Server", "Federated.Client", "Federated.Simulator"));

    [Fact]
    public void Client_Assembly_KnowsNoServerTechnology() => Demand(
        Types.InAssembly(_client).ShouldNot()
            .HaveDependencyOnAny("Orleans", "Microsoft.AspNetCore", "Azure", "TorchSharp", "Microsoft.Data.Sqlite", "SQLitePCL", "Federated.Training.Torch", "Federated.Training.Sqlite", "Federated.Server", "Federated.Modeling", "Federated.Simulator"));

    [Fact]
    public void Server_Assembly_KnowsNeitherClientNorSimulator() => Demand(
        Types.InAssembly(_server).ShouldNot().HaveDependencyOnAny("Federated.Client", "Federated.Simulator", "TorchSharp"));

    [Fact]
    public void Azure_IsKnownOnlyToStorage() => Demand(
        Types.InAssembly(_server).That().DoNotResideInNamespace("Federated.Server.Storage").ShouldNot().HaveDependencyOn("Azure"));

    [Theory]
    [InlineData("Federated.Server.Rounds")]
    [InlineData("Federated.Server.Aggregation")]
    [InlineData("Federated.Server.SecureAggregation")]
    public void PureNamespaces_KnowNoHostNoClockNoDisk(string space) => Demand(
        Residents(_server, space).ShouldNot()
            .HaveDependencyOnAny(
                "Orleans", "Grpc", "Microsoft.AspNetCore", "Microsoft.Extensions", "System.IO.File", "System.IO.Directory", "System.TimeProvider", "Federated.Server.Grains", "Federated.Server.Storage"));

    [Theory]
    [InlineData("Federated.Shared.SecureAggregation")]
    [InlineData("Federated.Shared.Privacy")]
    public void PureSharedNamespaces_KnowNoTransportNoClockNoDisk(string space) => Demand(
        Residents(_shared, space).ShouldNot()
            .HaveDependencyOnAny("Grpc", "System.IO.File", "System.IO.Directory", "System.TimeProvider", "Federated.Shared.Randomness"));

    [Fact]
    public void Shared_OutsideOfFiles_KnowsNoDiskAndNoNetwork() => Demand(
        Types.InAssembly(_shared).That().DoNotResideInNamespace("Federated.Shared.Files").ShouldNot()
            .HaveDependencyOnAny(
                "System.IO.File", "System.IO.FileInfo", "System.IO.FileStream", "System.IO.Directory", "System.IO.DirectoryInfo", "System.IO.RandomAccess", "System.Net.Http", "System.Net.Sockets"));

    [Fact]
    public void RawCryptography_IsUsedOnlyWhereItIsReviewed() => Demand(
        Types.InAssemblies([_shared, _modeling, _training, _client, _server]).That()
            .DoNotResideInNamespaceContaining("SecureAggregation").And().DoNotResideInNamespaceContaining("Identity").ShouldNot().HaveDependencyOnAny(_rawCryptography));

    [Fact]
    public void RawCryptography_OfTheSimulator_IsTimedByMachineRatesAlone() => Demand(
        Types.InAssembly(_simulator).That().DoNotHaveName("MachineRates").ShouldNot().HaveDependencyOnAny(_rawCryptography));

    [Fact]
    public void GrainContracts_CarryNoTensors()
    {
        Type[] tensors = [typeof(float[]), typeof(ReadOnlyMemory<float>), typeof(Memory<float>), typeof(double[]), typeof(long[])];
        IEnumerable<Type> contracts = _server.GetTypes().Where(t => t.IsInterface && typeof(Orleans.IGrain).IsAssignableFrom(t));
        IEnumerable<Type> carried = contracts.SelectMany(t => t.GetMethods())
            .SelectMany(m => m.GetParameters().Select(p => p.ParameterType).Append(m.ReturnType))
            .SelectMany(Unfold);
        Assert.NotEmpty(carried);
        Assert.DoesNotContain(carried, type => tensors.Contains(type));
    }

    [Fact]
    public void Nothing_DependsOnTheSimulator() => Demand(
        Types.InAssemblies([_shared, _modeling, _training, _client, _server]).ShouldNot().HaveDependencyOn("Federated.Simulator"));

    /// <summary>The types of a namespace, of which there must be some: a wall around nothing holds whatever is built.</summary>
    private static PredicateList Residents(Assembly assembly, string space)
    {
        PredicateList residents = Types.InAssembly(assembly).That().ResideInNamespace(space);
        Assert.NotEmpty(residents.GetTypes());
        return residents;
    }

    private static IEnumerable<Type> Unfold(Type type)
    {
        IEnumerable<Type> parts = type.IsGenericType ? type.GetGenericArguments().SelectMany(Unfold) : [];
        IEnumerable<Type> members = type.Assembly == _server && !type.IsEnum
            ? type.GetProperties().Where(p => p.PropertyType != type).SelectMany(p => Unfold(p.PropertyType))
            : [];
        return parts.Concat(members).Append(type);
    }

    private static void Demand(ConditionList rule)
    {
        NetArchTest.Rules.TestResult result = rule.GetResult();
        Assert.True(result.IsSuccessful, "Offending types: " + string.Join(", ", result.FailingTypeNames ?? []));
    }
}
